//! The readers of lock files: Cargo, npm, Poetry and uv, Go.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// The names of lock files that are known.
pub const LOCKS: &[&str] =
    &["Cargo.lock", "package-lock.json", "npm-shrinkwrap.json", "poetry.lock", "uv.lock", "go.sum"];

/// A package of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from: a registry or a repository; empty for the project's own.
    pub source: String,
    /// The line of the lock file where it begins.
    pub line: Option<u32>,
}

/// Reads the lock file at `path`, which its name says the form of.
///
/// # Errors
/// What is wrong with it.
pub fn read(path: &str, text: &str) -> Result<Vec<Package>, String> {
    match path.rsplit('/').next().unwrap_or(path) {
        "Cargo.lock" => cargo(text),
        "package-lock.json" | "npm-shrinkwrap.json" => npm(text),
        "poetry.lock" | "uv.lock" => python(text),
        "go.sum" => go(text),
        _ => Err(format!("no lock file of a known form is called so; known: {}", LOCKS.join(", "))),
    }
}

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    version: String,
    source: Option<String>,
}

fn cargo(text: &str) -> Result<Vec<Package>, String> {
    let lock: CargoLock = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let lines = Lines::of(text, "name = ");
    let packages = lock.package.into_iter().map(|package| {
        let source = package.source.unwrap_or_default();
        // What follows the commit of a git source is another version, not another source.
        let source = source.split('#').next().unwrap_or_default().to_owned();
        Package { line: lines.at(&format!("{:?}", package.name)), name: package.name, version: package.version, source }
    });
    Ok(packages.collect())
}

#[derive(Deserialize)]
struct PythonLock {
    #[serde(default)]
    package: Vec<PythonPackage>,
}

#[derive(Deserialize)]
struct PythonPackage {
    name: String,
    /// uv gives none to a package whose version the project computes.
    version: Option<String>,
    source: Option<BTreeMap<String, toml::Value>>,
}

fn python(text: &str) -> Result<Vec<Package>, String> {
    let lock: PythonLock = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let lines = Lines::of(text, "name = ");
    let packages = lock.package.into_iter().map(|package| {
        let source = package.source.unwrap_or_default();
        let of = |key: &str| source.get(key).and_then(toml::Value::as_str);
        // Poetry writes type and url; uv one key that is the type. The project itself is "virtual" or "editable".
        let source = match (of("registry").or(of("url")).or(of("git")), source.is_empty()) {
            (Some(place), _) => place.split(['?', '#']).next().unwrap_or(place).to_owned(),
            (None, true) => "the default index".to_owned(),
            (None, false) => String::new(),
        };
        let version = package.version.unwrap_or_default();
        Package { line: lines.at(&format!("{:?}", package.name)), name: package.name, version, source }
    });
    Ok(packages.collect())
}

fn npm(text: &str) -> Result<Vec<Package>, String> {
    let lock: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut packages = Vec::new();
    match (lock.get("packages"), lock.get("dependencies"), lock.get("lockfileVersion")) {
        (Some(Value::Object(all)), _, _) => {
            for (place, package) in all {
                // The project itself, and packages of its own workspace.
                let Some((_, name)) = place.rsplit_once("node_modules/") else { continue };
                if package.get("link").and_then(Value::as_bool) != Some(true) {
                    packages.push(npm_package(name, package));
                }
            }
        }
        (_, Some(Value::Object(all)), _) => npm_nested(all, &mut packages),
        (_, None, Some(_)) => {}
        _ => return Err("it has neither \"packages\" nor \"dependencies\"".to_owned()),
    }
    let lines = Lines::of(text, "");
    for package in &mut packages {
        let place = format!("\"node_modules/{}\": {{", package.name);
        package.line = lines.at(&place).or_else(|| lines.at(&format!("{:?}: {{", package.name)));
    }
    Ok(packages)
}

/// The nested form of the first version.
fn npm_nested(all: &serde_json::Map<String, Value>, packages: &mut Vec<Package>) {
    for (name, package) in all {
        packages.push(npm_package(name, package));
        if let Some(Value::Object(below)) = package.get("dependencies") {
            npm_nested(below, packages);
        }
    }
}

fn npm_package(name: &str, package: &Value) -> Package {
    let text = |key| package.get(key).and_then(Value::as_str).unwrap_or_default();
    // The registry is the part up to the host.
    let resolved = text("resolved");
    let source = match resolved.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
        None => resolved.to_owned(),
    };
    Package { name: name.to_owned(), version: text("version").to_owned(), source, line: None }
}

fn go(text: &str) -> Result<Vec<Package>, String> {
    let mut found = BTreeSet::new();
    let mut packages = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [module, version, sum] = fields.as_slice() else {
            return Err(format!("line {} has not three parts: {line:?}", index + 1));
        };
        if !sum.starts_with("h1:") {
            return Err(format!("line {} has no sum: {line:?}", index + 1));
        }
        // Only the module file was looked at, to choose among versions.
        if version.ends_with("/go.mod") || !found.insert((*module).to_owned()) {
            continue;
        }
        let source = module.split('/').next().unwrap_or(module);
        packages.push(Package {
            name: (*module).to_owned(),
            version: (*version).to_owned(),
            source: source.to_owned(),
            line: u32::try_from(index + 1).ok(),
        });
    }
    Ok(packages)
}

/// Where lines begin that have something in them, so that each is found at once.
struct Lines<'t>(BTreeMap<&'t str, u32>);

impl<'t> Lines<'t> {
    fn of(text: &'t str, prefix: &str) -> Self {
        let mut lines = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(rest) = line.trim().strip_prefix(prefix) {
                lines.entry(rest).or_insert(number);
            }
        }
        Self(lines)
    }

    fn at(&self, rest: &str) -> Option<u32> {
        self.0.get(rest).copied()
    }
}
