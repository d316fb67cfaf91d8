//! The readers of lcov tracefiles and of Cobertura XML.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// How often each line was reached, by file. What isn't code is not there.
pub type Lines = BTreeMap<String, BTreeMap<u32, u64>>;

/// Reads a report of either form; `relative` makes a path one from the top of the tree.
///
/// # Errors
/// What is wrong with it: it must be whole.
pub fn read(bytes: &[u8], relative: &dyn Fn(&str) -> String) -> Result<Lines, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('<') { cobertura(text, relative) } else { lcov(text, relative) }
}

fn lcov(text: &str, relative: &dyn Fn(&str) -> String) -> Result<Lines, String> {
    let mut lines = Lines::new();
    let mut file: Option<String> = None;
    let mut records = 0;
    for (index, line) in text.lines().enumerate() {
        let wrong = || format!("line {} is not lcov's: {line:?}", index + 1);
        let line = line.trim_end();
        if let Some(path) = line.strip_prefix("SF:") {
            if file.is_some() {
                return Err(format!("line {}: a file begins before \"end_of_record\"", index + 1));
            }
            let path = relative(path);
            lines.entry(path.clone()).or_default();
            file = Some(path);
        } else if let Some(data) = line.strip_prefix("DA:") {
            let mut fields = data.split(',');
            let number: u32 = fields.next().and_then(|field| field.parse().ok()).ok_or_else(wrong)?;
            // gcov counts with signs, and some tools write a negative count for one too large.
            let times: i64 = fields.next().and_then(|field| field.parse().ok()).ok_or_else(wrong)?;
            let known = file.as_ref().and_then(|file| lines.get_mut(file)).ok_or_else(wrong)?;
            let sum = known.entry(number).or_insert(0);
            *sum = sum.saturating_add(times.unsigned_abs());
        } else if line == "end_of_record" {
            file = None;
            records += 1;
        } else if !line.is_empty() && !line.starts_with('#') && !line.contains(':') {
            return Err(wrong());
        }
    }
    match (file, records) {
        (Some(file), _) => Err(format!("it ends within {file}: it was cut off")),
        (None, 0) => Err("it holds no file".to_owned()),
        (None, _) => Ok(lines),
    }
}

fn cobertura(text: &str, relative: &dyn Fn(&str) -> String) -> Result<Lines, String> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines::new();
    let mut open: Vec<String> = Vec::new();
    let mut sources: Vec<String> = Vec::new();
    let mut file: Option<String> = None;
    let mut seen = false;
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let wrong = |why: String| format!("at byte {at}: {why}");
        match event.map_err(|error| wrong(error.to_string()))? {
            Event::Start(element) => {
                let name = element.name().as_ref().to_owned();
                if open.is_empty() && (seen || name != "coverage") {
                    return Err(format!("its top element is <{name}>, not one <coverage>"));
                }
                seen = true;
                begin(&element, &mut lines, &mut file, &sources, relative).map_err(wrong)?;
                open.push(name);
            }
            Event::Empty(element) => {
                if open.is_empty() {
                    return Err(format!("its top element is <{}> and empty", element.name().as_ref()));
                }
                begin(&element, &mut lines, &mut file, &sources, relative).map_err(wrong)?;
            }
            Event::End(element) => {
                open.pop();
                if element.name().as_ref() == "class" {
                    file = None;
                }
            }
            Event::Text(source) if open.last().is_some_and(|name| name == "source") => {
                sources.push(source.trim().to_owned());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match open.last() {
        Some(name) => Err(format!("it ends inside <{name}>: it was cut off")),
        None if seen => Ok(lines),
        None => Err("it is empty".to_owned()),
    }
}

fn begin(
    element: &BytesStart<'_>,
    lines: &mut Lines,
    file: &mut Option<String>,
    sources: &[String],
    relative: &dyn Fn(&str) -> String,
) -> Result<(), String> {
    match element.name().as_ref() {
        "class" => {
            let name = attribute(element, "filename")?.ok_or("a <class> without a file name")?;
            // Names are relative to one of the sources; the tree's top is the likely one.
            let source = sources.iter().map(|source| relative(&format!("{}/{name}", source.trim_end_matches('/'))));
            let path = source.into_iter().find(|path| !path.starts_with('/')).unwrap_or_else(|| relative(&name));
            lines.entry(path.clone()).or_default();
            *file = Some(path);
        }
        // Methods repeat the lines of their class: the same line counts once, with its greatest number.
        "line" => {
            let Some(known) = file.as_ref().and_then(|file| lines.get_mut(file)) else { return Ok(()) };
            let number = attribute(element, "number")?.and_then(|number| number.parse().ok());
            let times: Option<u64> = attribute(element, "hits")?.and_then(|times| times.parse().ok());
            let (number, times) = number.zip(times).ok_or("a <line> without a number and hits")?;
            let most = known.entry(number).or_insert(0);
            *most = (*most).max(times);
        }
        _ => {}
    }
    Ok(())
}

fn attribute(element: &BytesStart<'_>, key: &str) -> Result<Option<String>, String> {
    let found = element.try_get_attribute(key).map_err(|error| error.to_string())?;
    let value = found.map(|found| found.normalized_value(XmlVersion::Implicit1_0).map(|value| value.into_owned()));
    value.transpose().map_err(|error| error.to_string())
}
