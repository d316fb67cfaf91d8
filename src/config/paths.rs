//! Where configuration files are.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use directories::BaseDirs;

/// The longest configuration file that is read, in bytes: far beyond any that a person writes.
const MAX_BYTES: u64 = 1 << 20;

/// The directories configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    /// The person's directory (`~/.config/windlass`); none when there is no home.
    pub user: Option<PathBuf>,
    /// The top of the person's checkout; none outside a repository.
    pub repository: Option<PathBuf>,
}

impl Paths {
    /// `$XDG_CONFIG_HOME/windlass` on every platform, else what the platform has for the purpose.
    pub fn find(env: &dyn Fn(&str) -> Option<String>, repository: Option<&Path>) -> Self {
        let xdg = env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let base = xdg.or_else(|| BaseDirs::new().map(|dirs| dirs.config_dir().to_owned()));
        Self { user: base.map(|base| base.join("windlass")), repository: repository.map(Path::to_owned) }
    }

    /// The person's `config.toml`.
    pub fn user_file(&self) -> Option<PathBuf> {
        self.user.as_ref().map(|dir| dir.join("config.toml"))
    }

    /// The repository's `.windlass/config.toml`.
    pub fn repository_file(&self) -> Option<PathBuf> {
        self.repository.as_ref().map(|dir| dir.join(".windlass").join("config.toml"))
    }

    /// The person's key files.
    pub fn keymaps(&self) -> Option<PathBuf> {
        self.user.as_ref().map(|dir| dir.join("keymaps"))
    }

    /// The person's themes.
    pub fn themes(&self) -> Option<PathBuf> {
        self.user.as_ref().map(|dir| dir.join("themes"))
    }
}

/// The bytes of a file, if it is there.
///
/// # Errors
/// If it is there and is no regular file, is too long, or can't be read.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = match fs::metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        metadata => metadata?,
    };
    // Opening a named pipe would wait for a writer forever.
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xdg_config_home_is_honoured_when_absolute() {
        let env = |value: &'static str| move |name: &str| (name == "XDG_CONFIG_HOME").then(|| value.to_owned());
        let paths = Paths::find(&env("/xdg"), Some(Path::new("/repo")));
        assert_eq!(paths.user_file(), Some(PathBuf::from("/xdg/windlass/config.toml")));
        assert_eq!(paths.repository_file(), Some(PathBuf::from("/repo/.windlass/config.toml")));
        assert_eq!(paths.themes(), Some(PathBuf::from("/xdg/windlass/themes")));
        assert_ne!(Paths::find(&env("relative"), None).user, Some(PathBuf::from("relative/windlass")));
    }

    #[test]
    fn only_files_of_sane_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&dir.path().join("none")).unwrap(), None);
        assert_eq!(read(dir.path()).unwrap_err().to_string(), "it is not a file");
        let long = dir.path().join("long");
        fs::write(&long, vec![b'#'; MAX_BYTES as usize + 1]).unwrap();
        assert_eq!(read(&long).unwrap_err().to_string(), "it is longer than 1 MiB");
    }
}
