//! The themes there are, with what each is made for and whose it is.

use std::path::Path;

use super::{Theme, library};
use crate::config::{Document, Fields};

/// A theme, for listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The background it is made for: `dark`, `light` or `any`; none if its file can't be read.
    pub variant: Option<String>,
    /// The licence of its file, if that says so.
    pub license: Option<String>,
    /// Whether it is the person's own.
    pub is_own: bool,
}

impl Theme {
    /// Every theme that can be loaded, in the order of their names.
    pub fn list(user_dir: Option<&Path>) -> Vec<Listed> {
        let library = library(user_dir);
        let listed = |name: String| {
            let (chain, _) = library.chain(&name);
            // A file that can't be read is stood in for by another one.
            let sheets: Vec<_> = if chain.last().is_some_and(|sheet| sheet.name == name) { chain } else { Vec::new() };
            let mut variant = None;
            let mut license = None;
            for sheet in &sheets {
                let doc = Document::new(sheet.file.as_str(), &sheet.text);
                let Some(table) = doc.parse() else { continue };
                let top = Fields::top(&doc, &table);
                variant = top.text("variant").map(|text| text.value).or(variant);
                license = top.text("license").map(|text| text.value);
            }
            let is_own = sheets.last().is_none_or(|sheet| !sheet.built_in);
            Listed { name, variant, license, is_own }
        };
        library.names().into_iter().map(listed).collect()
    }
}
