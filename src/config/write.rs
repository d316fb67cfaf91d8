//! Adding providers and roles to the person's file, keeping everything that is there, comments included.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::layer;
use super::paths;
use super::problem::ConfigError;
use crate::domain::{KeySource, ModelId, ProviderSpec};

/// What to add.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Additions {
    /// Providers by name. One that is configured already stays as it is.
    pub providers: Vec<(String, ProviderSpec)>,
    /// The author, in place of one that is there.
    pub author: Option<ModelId>,
    /// The critic, in place of one that is there.
    pub critic: Option<ModelId>,
}

impl Additions {
    /// The lines that would be added to a file with nothing in it.
    ///
    /// # Errors
    /// If something in them can't be written as TOML.
    pub fn lines(&self) -> io::Result<String> {
        let mut doc = DocumentMut::new();
        self.add_to(&mut doc)?;
        Ok(doc.to_string())
    }

    fn add_to(&self, doc: &mut DocumentMut) -> io::Result<()> {
        for (name, provider) in &self.providers {
            let providers = table(doc, "providers")?;
            if !providers.contains_key(name) {
                providers.insert(name, Item::Table(provider_table(provider)));
            }
        }
        for (role, model) in [("author", &self.author), ("critic", &self.critic)] {
            if let Some(model) = model {
                table(doc, "roles")?.insert(role, value(&model.0));
            }
        }
        Ok(())
    }
}

/// The person's file was left as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It can't be read or written.
    #[error("failed to write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It isn't valid, or would not be.
    #[error("failed to add to a configuration that is not valid:\n{0}")]
    Invalid(ConfigError),
}

/// Adds to the file at `path`, which need not exist yet. The file is replaced whole or not at all.
///
/// # Errors
/// If the file isn't valid before or after, or can't be read or written.
pub fn write_user_providers(path: &Path, additions: &Additions) -> Result<(), WriteError> {
    let io_error = |source| WriteError::Io { path: path.to_owned(), source };
    let old = paths::read(path).map_err(io_error)?.unwrap_or_default();
    let old = String::from_utf8(old).map_err(|error| io_error(io::Error::other(error)))?;
    check(path, &old)?;
    let mut doc: DocumentMut = old.parse().map_err(|error| io_error(io::Error::other(error)))?;
    additions.add_to(&mut doc).map_err(io_error)?;
    let new = doc.to_string();
    check(path, &new)?;
    replace(path, &new).map_err(io_error)
}

/// Adds gates, as lines, to the end of a repository's file at `path`, which need not exist yet. The file is replaced whole
/// or not at all.
///
/// # Errors
/// If the file isn't valid before or after, or can't be read or written.
pub fn add_gates(path: &Path, lines: &str) -> Result<(), WriteError> {
    let io_error = |source| WriteError::Io { path: path.to_owned(), source };
    let check = |text: &str| ConfigError::unless_empty(layer::repository(text, None).1).map_err(WriteError::Invalid);
    let old = paths::read(path).map_err(io_error)?.unwrap_or_default();
    let mut text = String::from_utf8(old).map_err(|error| io_error(io::Error::other(error)))?;
    check(&text)?;
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    text.push_str(lines);
    check(&text)?;
    replace(path, &text).map_err(io_error)
}

fn check(path: &Path, text: &str) -> Result<(), WriteError> {
    ConfigError::unless_empty(layer::user(path, text).1).map_err(WriteError::Invalid)
}

fn table<'a>(doc: &'a mut DocumentMut, key: &str) -> io::Result<&'a mut dyn toml_edit::TableLike> {
    let implicit = || {
        let mut table = Table::new();
        // `[providers.x]` alone, without an empty `[providers]` above it.
        table.set_implicit(true);
        Item::Table(table)
    };
    let item = doc.entry(key).or_insert_with(implicit);
    item.as_table_like_mut().ok_or_else(|| io::Error::other(format!("{key:?} is not a table")))
}

fn provider_table(provider: &ProviderSpec) -> Table {
    let mut table = Table::new();
    match provider {
        ProviderSpec::Server(server) => {
            table.insert("kind", value(server.format.name()));
            table.insert("base_url", value(&server.base_url));
            match &server.key {
                None => None,
                Some(KeySource::Env(variable)) => table.insert("api_key_env", value(variable)),
                Some(KeySource::Command(argv)) => table.insert("api_key_cmd", value(Array::from_iter(argv))),
                Some(KeySource::File(path)) => table.insert("api_key_file", value(path.display().to_string())),
            };
        }
        ProviderSpec::Command { argv } => {
            table.insert("kind", value("command"));
            table.insert("argv", value(Array::from_iter(argv)));
        }
        ProviderSpec::Agent { argv, env } => {
            table.insert("kind", value("acp"));
            table.insert("argv", value(Array::from_iter(argv)));
            if !env.is_empty() {
                table.insert("env", value(Array::from_iter(env)));
            }
        }
        ProviderSpec::Script { dir, chars_per_second } => {
            table.insert("kind", value("script"));
            table.insert("dir", value(dir.display().to_string()));
            if let Some(pace) = chars_per_second {
                table.insert("chars_per_second", value(i64::from(*pace)));
            }
        }
        ProviderSpec::Cassette { file, timed } => {
            table.insert("kind", value("script"));
            table.insert("cassette", value(file.display().to_string()));
            if *timed {
                table.insert("timed", value(true));
            }
        }
    }
    table
}

/// Writes a new file beside the old one and puts it in its place.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Dotfiles are often links into a repository: the link stays, its target changes.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let beside = path.with_extension(format!("toml.{}", process::id()));
    let written = write_new(&beside, &path, text).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // The first error is the one to tell; a leftover file harms nothing.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(beside: &Path, old: &Path, text: &str) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).open(beside)?;
    if let Ok(metadata) = fs::metadata(old) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ServerSpec, WireFormat};

    fn additions() -> Additions {
        let base_url = "http://127.0.0.1:11434/v1".to_owned();
        let server = ServerSpec { format: WireFormat::OpenAiChat, base_url, key: None };
        Additions {
            providers: vec![("ollama".to_owned(), ProviderSpec::Server(server))],
            author: Some(ModelId("ollama/qwen3".to_owned())),
            critic: None,
        }
    }

    #[test]
    fn a_new_file_is_made_with_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("windlass/config.toml");
        write_user_providers(&path, &additions()).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "[providers.ollama]\nkind = \"openai-chat\"\nbase_url = \"http://127.0.0.1:11434/v1\"\n\n\
             [roles]\nauthor = \"ollama/qwen3\"\n"
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (target, path) = (dir.path().join("dotfile"), dir.path().join("config.toml"));
        let old = "# mine\neditor = \"hx\" # yes\n[providers.ollama] # far\nkind = \"openai-chat\"\n\
                   base_url = \"http://far/v1\"\n[roles]\ncritic = \"ollama/b\"\nauthor = \"ollama/a\"\n";
        fs::write(&target, old).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        write_user_providers(&path, &additions()).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), old.replace("ollama/a", "ollama/qwen3"));
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    }

    #[test]
    fn a_broken_file_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, "editr = \"hx\"\n").unwrap();
        let error = write_user_providers(&path, &additions()).unwrap_err().to_string();
        assert!(error.ends_with("config.toml:1:1: unknown key \"editr\"; did you mean \"editor\"?"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "editr = \"hx\"\n");
    }
}
