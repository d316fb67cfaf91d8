//! A review as one HTML page. Everything in it is escaped, nothing is fetched, and nothing runs.

use crate::app::extract::{Body, Extract, Item};

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#1f2328;background:#fff}\
pre{font:13px/1.45 ui-monospace,monospace;background:#f6f8fa;padding:1em;overflow-x:auto}\
pre span{display:block;white-space:pre-wrap;min-height:1.45em}pre span:target{background:#fff3b0}\
.n{display:inline-block;width:3.5em;color:#6e7781;user-select:none}\
.plus{background:#dafbe1}.minus{background:#ffebe9}.hunk{color:#0550ae}.file{font-weight:bold}\
dt{float:left;clear:left;width:9em;color:#59636e}dd{margin-left:9em;overflow-wrap:anywhere}\
.blocker,.fail,.error,.timeout,.abandon{color:#b3261e}.major{color:#8a5200}.pass,.approve{color:#1a7f37}\
@media(prefers-color-scheme:dark){body{color:#d8dee9;background:#16181d}pre{background:#1f2228}\
.plus{background:#12361e}.minus{background:#42191a}.hunk{color:#79b8ff}pre span:target{background:#4d4420}\
.blocker,.fail,.error,.timeout,.abandon{color:#ff8a80}.major{color:#ffb454}.pass,.approve{color:#6fdd8b}}";

/// The page.
pub(super) fn page(review: &Extract) -> String {
    let title = format!("{} of loop {}", review.stage, review.id);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<h1>{}</h1>\n<p>{}</p>\n<dl>\n",
        escaped(&title),
        escaped(&title),
        escaped(&review.goal)
    );
    for (name, value) in &review.facts {
        html.push_str(&format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value)));
    }
    html.push_str("</dl>\n");
    // Findings point into the artifact, which is the last text of the page.
    let artifact = review.parts.iter().rposition(|part| matches!(part.body, Body::Text(_)));
    for (index, part) in review.parts.iter().enumerate() {
        html.push_str(&format!("<h2>{}</h2>\n", escaped(&part.heading)));
        match &part.body {
            Body::Text(text) => html.push_str(&lines(text, Some(index) == artifact)),
            Body::Diff(text) => html.push_str(&diff(text)),
            Body::Items(items) if items.is_empty() => html.push_str("<p>None.</p>\n"),
            Body::Items(items) => {
                html.push_str("<ul>\n");
                items.iter().for_each(|one| html.push_str(&item(one)));
                html.push_str("</ul>\n");
            }
        }
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn lines(text: &str, is_artifact: bool) -> String {
    let line = |(line, number): (&str, usize)| {
        let id = if is_artifact { format!(" id=\"line-{number}\"") } else { String::new() };
        format!("<span{id}><span class=\"n\" style=\"display:inline-block\">{number}</span>{}</span>", escaped(line))
    };
    let all: String = text.lines().zip(1..).map(line).collect();
    format!("<pre>{all}</pre>\n")
}

fn diff(text: &str) -> String {
    let (mut path, mut number) = (String::new(), 0_u32);
    let mut html = String::from("<pre>");
    for line in text.lines() {
        if let Some(new) = line.strip_prefix("+++ b/") {
            path = new.to_owned();
        }
        let class = match line.chars().next() {
            _ if line.starts_with("diff --git") || line.starts_with("+++ ") || line.starts_with("--- ") => "file",
            Some('@') => {
                let new = line.split('+').nth(1).and_then(|rest| rest.split([',', ' ']).next());
                number = new.and_then(|new| new.parse().ok()).unwrap_or(0);
                "hunk"
            }
            Some('+') => "plus",
            Some('-') => "minus",
            _ => "",
        };
        let counts = matches!(class, "plus" | "") && number > 0;
        let id = if counts { format!(" id=\"{}\"", anchor(&format!("{path}:{number}"))) } else { String::new() };
        html.push_str(&format!("<span class=\"{class}\"{id}>{}</span>", escaped(line)));
        number += u32::from(counts);
    }
    html + "</pre>\n"
}

fn item(item: &Item) -> String {
    let word = escaped(&item.word);
    let class = item.word.split(' ').next().unwrap_or("").replace(|c: char| !c.is_ascii_alphabetic(), "");
    let place = item.place.as_ref().map(|place| format!(" <a href=\"#{}\">{}</a>", anchor(place), escaped(place)));
    let more: String = item.more.iter().map(|more| format!("<br>{}", escaped(more))).collect();
    let place = place.unwrap_or_default();
    format!("<li><strong class=\"{class}\">{word}</strong>{place} {}{more}</li>\n", escaped(&item.text))
}

/// A place as the name of an anchor: letters, digits and hyphens.
fn anchor(place: &str) -> String {
    place.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::extract::Part;
    use crate::domain::LoopId;

    #[test]
    fn nothing_that_a_model_wrote_is_markup_and_findings_lead_to_their_places() {
        let finding = |place: &str| Item {
            word: "blocker".to_owned(),
            place: Some(place.to_owned()),
            text: "<script>alert(1)</script>\" onload=".to_owned(),
            more: vec!["<b>".to_owned()],
        };
        let diff = "diff --git a/a.rs b/a.rs\n--- a/a.rs\n+++ b/a.rs\n@@ -4 +4,2 @@\n one\n-two\n+<img src=x>";
        let part = |heading: &str, body| Part { heading: heading.to_owned(), body };
        let review = Extract {
            id: LoopId(1),
            stage: "plan".to_owned(),
            goal: "<i>".to_owned(),
            facts: vec![("base", "&".to_owned())],
            parts: vec![
                part("Plan", Body::Text("# A\n</pre><script>".to_owned())),
                part("Findings", Body::Items(vec![finding("line 2"), finding("a.rs:5")])),
                part("Diff", Body::Diff(diff.to_owned())),
            ],
        };
        let html = page(&review);
        for raw in ["<script", "<img", "<b>", "<i>", "\" onload"] {
            assert!(!html.contains(raw), "{raw} in {html}");
        }
        for (link, target) in [("#line-2", "id=\"line-2\""), ("#a-rs-5", "id=\"a-rs-5\"")] {
            assert!(html.contains(link) && html.contains(target), "{html}");
        }
    }
}
