//! What a file imports, by the lines that say so: Rust, Python, JavaScript and TypeScript, Go, Java and Kotlin.
//!
//! Read line by line, without a parser for each language: an import that is built at run time is not seen.

use std::collections::BTreeSet;

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The line it is on.
    pub line: u32,
    /// The file of the tree it names, or else its words as a path: `std/fmt`, `node:fs`.
    pub to: String,
}

/// The files of a tree, to find the one an import names.
#[derive(Debug)]
pub struct Paths<'a>(BTreeSet<&'a str>);

impl<'a> Paths<'a> {
    /// These files.
    pub fn new(paths: &'a [String]) -> Self {
        Self(paths.iter().map(String::as_str).collect())
    }

    /// The first of the candidates that is there.
    fn first(&self, candidates: impl IntoIterator<Item = String>) -> Option<String> {
        candidates.into_iter().find(|path| self.0.contains(path.as_str()))
    }
}

/// The imports of the file at `path`, without those of itself.
pub fn imports(path: &str, text: &str, paths: &Paths<'_>) -> Vec<Import> {
    let mut found = Vec::new();
    let extension = path.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    // Go names the packages of a block one a line.
    let mut in_block = false;
    for (line, text) in (1..).zip(text.lines()) {
        let code = text.trim();
        let named: Vec<String> = match extension {
            "rs" => rust(path, code, paths),
            "py" => python(path, code, paths),
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" => script(path, code, paths).into_iter().collect(),
            "go" => {
                in_block = code.starts_with("import (") || in_block && code != ")";
                go(code, in_block, paths).into_iter().collect()
            }
            "java" | "kt" => java(code, paths).into_iter().collect(),
            _ => Vec::new(),
        };
        found.extend(named.into_iter().filter(|to| to != path).map(|to| Import { line, to }));
    }
    found
}

/// `use crate::a::{b, c}`, and `crate::a::b` in the middle of a line.
fn rust(path: &str, code: &str, paths: &Paths<'_>) -> Vec<String> {
    if code.starts_with("//") {
        return Vec::new();
    }
    let root = path.split("/src/").next().filter(|_| path.contains("/src/")).map(|root| format!("{root}/src"));
    let root = root.unwrap_or_else(|| "src".to_owned());
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = code.get(at + "crate::".len()..).unwrap_or_default();
        let (words, group) = words_of(rest);
        let names: Vec<String> = match group {
            Some(group) => group.split(',').map(|name| words_of(name.trim()).0).collect(),
            None => vec![String::new()],
        };
        for name in names {
            let full: Vec<&str> = words.split("::").chain(name.split("::")).filter(|word| !word.is_empty()).collect();
            let candidates = (1..=full.len()).rev().filter_map(|depth| full.get(..depth)).flat_map(|words| {
                let path = format!("{root}/{}", words.join("/"));
                [format!("{path}.rs"), format!("{path}/mod.rs")]
            });
            found.push(paths.first(candidates).unwrap_or_else(|| format!("{root}/{}", full.join("/"))));
        }
    }
    let outside = code.strip_prefix("pub ").unwrap_or(code).strip_prefix("use ");
    if let Some(rest) = outside
        .filter(|rest| !rest.starts_with("crate::") && !rest.starts_with("super::") && !rest.starts_with("self::"))
    {
        found.push(words_of(rest).0.trim_end_matches(':').replace("::", "/"));
    }
    found
}

/// The path words at the beginning, and the group in braces after them.
fn words_of(rest: &str) -> (String, Option<&str>) {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(rest.len());
    let words = rest.get(..end).unwrap_or_default().to_owned();
    let after = rest.get(end..).unwrap_or_default();
    (words, after.strip_prefix('{').map(|group| group.split('}').next().unwrap_or_default()))
}

/// `import a.b`, `from a.b import c`, `from . import c`.
fn python(path: &str, code: &str, paths: &Paths<'_>) -> Vec<String> {
    let (module, names): (&str, Vec<&str>) = if let Some(rest) = code.strip_prefix("import ") {
        let modules = rest.split(',').filter_map(|part| part.split_whitespace().next());
        return modules.map(|module| python_module(path, module, None, paths)).collect();
    } else if let Some((module, names)) = code.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) {
        let names = names.split(',').map(|name| name.trim_matches(['(', ')', ' '])).filter(|name| !name.is_empty());
        (module.trim(), names.filter_map(|name| name.split_whitespace().next()).collect())
    } else {
        return Vec::new();
    };
    let found: BTreeSet<String> = names.iter().map(|name| python_module(path, module, Some(name), paths)).collect();
    found.into_iter().collect()
}

fn python_module(path: &str, module: &str, name: Option<&str>, paths: &Paths<'_>) -> String {
    let dots = module.chars().take_while(|c| *c == '.').count();
    let words = module.trim_start_matches('.').replace('.', "/");
    let mut parents: Vec<&str> = path.split('/').collect();
    parents.truncate(parents.len().saturating_sub(dots.max(1)));
    let here = if dots > 0 { parents.join("/") } else { String::new() };
    let joined = |parts: &[&str]| parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
    let module = joined(&[&here, &words]);
    let full = joined(&[&module, name.unwrap_or_default()]);
    let forms = |path: &str| {
        [
            format!("{path}.py"),
            format!("{path}/__init__.py"),
            format!("src/{path}.py"),
            format!("src/{path}/__init__.py"),
        ]
    };
    paths.first(forms(&full).into_iter().chain(forms(&module))).unwrap_or(module)
}

/// `import x from "./y"`, `export ... from`, `require("y")`, `import("y")`.
fn script(path: &str, code: &str, paths: &Paths<'_>) -> Option<String> {
    if code.starts_with("//") || code.starts_with('*') {
        return None;
    }
    let after = ["from ", "require(", "import(", "import "].iter().find_map(|word| {
        let rest = code.split(word).nth(1)?.trim_start();
        rest.starts_with(['"', '\'', '`']).then_some(rest)
    })?;
    let quote = after.chars().next()?;
    let named = after.get(1..)?.split(quote).next()?;
    if !named.starts_with('.') {
        return Some(named.to_owned());
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in named.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let file = parts.join("/");
    let bare = file.strip_suffix(".js").unwrap_or(&file).to_owned();
    let endings = ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts"];
    let candidates = std::iter::once(file.clone())
        .chain(endings.iter().map(|end| format!("{bare}.{end}")))
        .chain(endings.iter().map(|end| format!("{bare}/index.{end}")));
    Some(paths.first(candidates).unwrap_or(file))
}

/// `import "example.org/mod/a"`: the directory of the tree whose path ends the package's.
fn go(code: &str, in_block: bool, paths: &Paths<'_>) -> Option<String> {
    if !in_block && !code.starts_with("import ") {
        return None;
    }
    let package = code.split('"').nth(1)?;
    let parts: Vec<&str> = package.split('/').collect();
    let local = (1..parts.len()).filter_map(|from| parts.get(from..)).map(|tail| tail.join("/"));
    let is_there = |directory: &String| {
        let prefix = format!("{directory}/");
        paths.0.range(prefix.as_str()..).next().is_some_and(|path| path.starts_with(&prefix))
    };
    Some(local.into_iter().find(is_there).unwrap_or_else(|| package.to_owned()))
}

/// `import com.acme.Orders;`
fn java(code: &str, paths: &Paths<'_>) -> Option<String> {
    let name = code.strip_prefix("import ")?;
    let name = name.strip_prefix("static ").unwrap_or(name).trim_end_matches(';').trim().replace('.', "/");
    let roots = ["", "src/", "src/main/java/", "src/main/kotlin/"];
    let candidates = roots.iter().flat_map(|root| [format!("{root}{name}.java"), format!("{root}{name}.kt")]);
    Some(paths.first(candidates).unwrap_or(name))
}
