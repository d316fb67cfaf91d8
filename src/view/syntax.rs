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
use crate::app::doc::{Doc, Kind, Unit};
use crate::domain::Digest;
use crate::theme::Theme;

/// Longer lines are left plain: grammars are slow on minified code.
const LINE_MOST: usize = 1000;

/// Longer hunks are plain beyond this many lines.
const LINES_MOST: usize = 2000;

/// Hunks remembered before all are forgotten.
const MEMO_MOST: usize = 500;

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

/// Colours for code, once they are there.
#[derive(Clone, Default)]
pub struct Syntax {
    grammar: Arc<OnceLock<Grammar>>,
    memo: Rc<RefCell<HashMap<Digest, Rc<Vec<Runs>>>>>,
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
        let Some(unit) = doc.lines().get(index).and_then(|line| doc.units().get(line.unit)) else { return Runs::new() };
        let known = self.memo.borrow().get(&unit.digest).cloned();
        let all = known.unwrap_or_else(|| {
            let fresh = Rc::new(highlight(grammar, theme, doc, unit));
            let mut memo = self.memo.borrow_mut();
            if memo.len() >= MEMO_MOST {
                memo.clear();
            }
            memo.insert(unit.digest, Rc::clone(&fresh));
            fresh
        });
        index.checked_sub(unit.from).and_then(|line| all.get(line)).cloned().unwrap_or_default()
    }
}

/// One side of a hunk on its way through the grammar.
struct Side {
    parse: ParseState,
    paint: HighlightState,
}

fn highlight(grammar: &Grammar, theme: &Theme, doc: &Doc, unit: &Unit) -> Vec<Runs> {
    let before = doc.lines().get(..=unit.from).unwrap_or_default();
    let path = before.iter().rev().find(|line| line.kind == Kind::File).map_or("", |line| line.text.as_str());
    let Some(syntax) = syntax_of(grammar, path) else { return Vec::new() };
    let highlighter = Highlighter::new(&grammar.colours);
    let side = || Side { parse: ParseState::new(syntax), paint: HighlightState::new(&highlighter, ScopeStack::new()) };
    let (mut old, mut new) = (side(), side());
    let lines = doc.lines().get(unit.from..unit.to).unwrap_or_default();
    let mut all = Vec::with_capacity(lines.len());
    for line in lines.iter().take(LINES_MOST) {
        let pass = |side: &mut Side| side.line(grammar, &highlighter, theme, &line.text);
        all.push(match line.kind {
            _ if line.text.len() > LINE_MOST => Runs::new(),
            Kind::Minus => pass(&mut old),
            Kind::Plus => pass(&mut new),
            Kind::Context => {
                pass(&mut old);
                pass(&mut new)
            }
            _ => Runs::new(),
        });
    }
    all
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
