//! Colours for code in a diff: foreground only, the diff's own background wins.
//!
//! Grammars take tens of milliseconds to load, so they are loaded beside the first paint; until then code is plain. What
//! was highlighted once is kept by the content of its hunk.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use ratatui::style::Style;
use syntect::highlighting::{HighlightIterator, HighlightState, Highlighter, Theme as Colours};
use syntect::parsing::{ParseState, ScopeStack, SyntaxSet};
use two_face::theme::{EmbeddedLazyThemeSet, EmbeddedThemeName};

use super::emphasis::Emphasis;
use crate::app::doc::{Doc, Kind};
use crate::domain::Digest;
use crate::theme::Theme;

/// Longer lines are left plain: grammars are slow on minified code.
const LINE_MOST: usize = 1000;

/// Lines that are coloured at once: what a jump into a long hunk has to wait for.
const CHUNK: usize = 32;

/// Chunks remembered before all are forgotten.
const MEMO_MOST: usize = 2000;

type Runs = Vec<(Range<usize>, Style)>;

/// Grammars and the colours of one theme.
pub struct Grammar {
    syntaxes: Arc<SyntaxSet>,
    colours: Colours,
}

impl Grammar {
    /// Loads every grammar, and the colours of the theme of this name.
    pub fn load(name: &str) -> Self {
        Self { syntaxes: Arc::new(two_face::syntax::extra_newlines()), colours: colours(name) }
    }
}

fn colours(name: &str) -> Colours {
    let themes = EmbeddedLazyThemeSet::theme_names();
    let wanted = themes.iter().find(|known| known.as_name() == name).copied();
    two_face::theme::extra().get(wanted.unwrap_or(EmbeddedThemeName::Ansi)).clone()
}

/// The coloured parts of some lines of a hunk, and where the grammar stood after them.
struct Chunk {
    lines: Vec<Runs>,
    after: Sides,
}

/// By the part and the place of the chunk in it.
type Memo = HashMap<(Digest, usize), Rc<Chunk>>;

/// Colours for code, once they are there.
#[derive(Clone, Default)]
pub struct Syntax {
    grammar: Arc<OnceLock<Grammar>>,
    memo: Rc<RefCell<Memo>>,
    emphasis: Emphasis,
}

impl Syntax {
    /// The place where a grammar loaded elsewhere is put.
    pub fn slot(&self) -> Arc<OnceLock<Grammar>> {
        Arc::clone(&self.grammar)
    }

    /// The same with the colours of another theme, at once if the grammars are there already.
    pub fn recoloured(&self, name: &str) -> Self {
        let fresh = Self::default();
        if let Some(grammar) = self.grammar.get() {
            // The slot is new, so nobody can have filled it.
            let _ = fresh.grammar.set(Grammar { syntaxes: Arc::clone(&grammar.syntaxes), colours: colours(name) });
        }
        fresh
    }

    /// The parts of a changed line that differ from the line on the other side.
    pub(super) fn emphasised(&self, doc: &Doc, index: usize) -> Vec<Range<usize>> {
        self.emphasis.of(doc, index)
    }

    /// The coloured parts of a line of a diff.
    pub(super) fn runs(&self, theme: &Theme, doc: &Doc, index: usize) -> Runs {
        let (Some(grammar), false) = (self.grammar.get(), theme.is_mono()) else { return Runs::new() };
        let Some(unit) = doc.unit_at(index).and_then(|unit| doc.units().get(unit)) else { return Runs::new() };
        let number = (index - unit.from) / CHUNK;
        let key = (unit.digest, number);
        let known = self.memo.borrow().get(&key).cloned();
        let chunk = known.unwrap_or_else(|| {
            let mut memo = self.memo.borrow_mut();
            if memo.len() >= MEMO_MOST {
                memo.clear();
            }
            // Read from its beginning a hunk is coloured as a whole; a jump into its middle begins anew there.
            let before = number.checked_sub(1).and_then(|before| memo.get(&(unit.digest, before)).cloned());
            let from = unit.from + number * CHUNK;
            let lines = from..(from + CHUNK).min(unit.to);
            let fresh = Rc::new(highlight(grammar, theme, doc, lines, before.map(|chunk| chunk.after.clone())));
            memo.insert(key, Rc::clone(&fresh));
            fresh
        });
        chunk.lines.get((index - unit.from) % CHUNK).cloned().unwrap_or_default()
    }
}

/// One side of a hunk on its way through the grammar.
#[derive(Clone, PartialEq)]
struct Side {
    parse: ParseState,
    paint: HighlightState,
}

/// Both sides of a hunk. The old one is there only while it differs from the new one: what they share is read once.
#[derive(Clone)]
struct Sides {
    new: Option<Side>,
    old: Option<Side>,
}

fn highlight(grammar: &Grammar, theme: &Theme, doc: &Doc, lines: Range<usize>, before: Option<Sides>) -> Chunk {
    let path = doc.file_at(lines.start).map(|file| doc.path(file)).unwrap_or_default();
    let Some(syntax) = syntax_of(grammar, &path) else {
        return Chunk { lines: Vec::new(), after: Sides { new: None, old: None } };
    };
    let highlighter = Highlighter::new(&grammar.colours);
    let fresh = || Side { parse: ParseState::new(syntax), paint: HighlightState::new(&highlighter, ScopeStack::new()) };
    let before = before.unwrap_or(Sides { new: None, old: None });
    let (mut new, mut old) = (before.new.unwrap_or_else(fresh), before.old);
    let mut all = Vec::with_capacity(lines.len());
    for (_, line) in doc.lines_from(lines.start).take(lines.len()) {
        if line.text.len() > LINE_MOST {
            all.push(Runs::new());
            continue;
        }
        let pass = |side: &mut Side| side.line(grammar, &highlighter, theme, &line.text);
        all.push(match line.kind {
            Kind::Minus => pass(old.get_or_insert_with(|| new.clone())),
            Kind::Plus => {
                old.get_or_insert_with(|| new.clone());
                pass(&mut new)
            }
            Kind::Context => {
                let runs = pass(&mut new);
                if let Some(mut side) = old.take() {
                    pass(&mut side);
                    old = Some(side).filter(|side| *side != new);
                }
                runs
            }
            _ => Runs::new(),
        });
    }
    Chunk { lines: all, after: Sides { new: Some(new), old } }
}

fn syntax_of<'g>(grammar: &'g Grammar, path: &str) -> Option<&'g syntect::parsing::SyntaxReference> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or(name, |(_, extension)| extension);
    let by_name = grammar.syntaxes.find_syntax_by_extension(name);
    by_name.or_else(|| grammar.syntaxes.find_syntax_by_extension(extension))
}

impl Side {
    fn line(&mut self, grammar: &Grammar, highlighter: &Highlighter<'_>, theme: &Theme, text: &str) -> Runs {
        let whole = format!("{text}\n");
        // A grammar that fails on a line leaves it plain: colour is not evidence.
        let Ok(ops) = self.parse.parse_line(&whole, &grammar.syntaxes) else { return Runs::new() };
        let mut at = 0;
        let mut runs = Runs::new();
        for (style, piece) in HighlightIterator::new(&mut self.paint, &ops, &whole, highlighter) {
            let to = at + piece.len();
            let colour = style.foreground;
            if let Some(colour) = theme.syntax_color([colour.r, colour.g, colour.b, colour.a]) {
                runs.push((at..to.min(text.len()), Style::new().fg(colour)));
            }
            at = to;
        }
        runs
    }
}
