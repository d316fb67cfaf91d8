//! Colours for code in a diff: foreground only, the diff's own background wins.
//!
//! Grammars take tens of milliseconds to load, so they are loaded beside the first paint; until then code is plain. What
//! was highlighted once is kept by the content of its hunk. A frame can be allowed so much colouring and no more: a page
//! never waits for its colours, the rest of them come with the next frame.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use ratatui::style::{Color, Style};
use syntect::highlighting::{Highlighter, Theme as Colours};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use two_face::theme::{EmbeddedLazyThemeSet, EmbeddedThemeName};

use super::emphasis::Emphasis;
use crate::app::doc::{Doc, Kind};
use crate::domain::Digest;
use crate::theme::Theme;

/// Longer lines are left plain: grammars are slow on minified code.
const LINE_MOST: usize = 1000;

/// Lines that are coloured in one go from where the grammar stood before them: a jump into a long hunk waits for at most
/// so many above the screen.
const CHUNK: usize = 32;

/// Chunks remembered before all are forgotten.
const MEMO_MOST: usize = 2000;

/// Ways in which scopes stand within one another, remembered before all are forgotten.
const PALETTE_MOST: usize = 4000;

/// How much code is coloured for one frame, in bytes: most pages, in a few milliseconds.
const FRAME: usize = 8 << 10;

/// What looking at a line takes however short it is, in bytes of a longer one.
const LINE_LEAST: usize = 16;

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

/// The coloured parts of lines of a hunk as far as they were asked for, and where the grammar stands after them; nowhere
/// if there is none for the file.
struct Chunk {
    lines: Vec<Runs>,
    sides: Option<Sides>,
}

/// What was coloured, by the part and the place of the chunk in it.
type Memo = HashMap<(Digest, usize), Chunk>;

/// The colours of scopes that stand within one another: a theme has many rules, and code has few such stacks.
type Palette = HashMap<Vec<Scope>, Option<Color>>;

/// Colours for code, once they are there.
#[derive(Clone, Default)]
pub struct Syntax {
    grammar: Arc<OnceLock<Grammar>>,
    memo: Rc<RefCell<Memo>>,
    palette: Rc<RefCell<Palette>>,
    emphasis: Emphasis,
    /// Bytes that may still be coloured; any number if nobody has set a bound.
    allowed: Rc<Cell<Option<usize>>>,
    lags: Rc<Cell<bool>>,
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

    /// Colours as much code as a frame can wait for, and no more until this is called again.
    pub fn begin_frame(&self) {
        self.allowed.set(Some(FRAME));
        self.lags.set(false);
    }

    /// Whether code was left plain for want of time.
    pub fn lags(&self) -> bool {
        self.lags.get()
    }

    /// The parts of a changed line that differ from the line on the other side.
    pub(super) fn emphasised(&self, doc: &Doc, index: usize) -> Vec<Range<usize>> {
        self.emphasis.of(doc, index)
    }

    /// The coloured parts of a line of a diff.
    pub(super) fn runs(&self, theme: &Theme, doc: &Doc, index: usize) -> Runs {
        let (Some(grammar), false) = (self.grammar.get(), theme.is_mono()) else { return Runs::new() };
        let Some(unit) = doc.unit_at(index).and_then(|unit| doc.units().get(unit)) else { return Runs::new() };
        let (number, nth) = ((index - unit.from) / CHUNK, (index - unit.from) % CHUNK);
        let mut memo = self.memo.borrow_mut();
        let pen = Pen { syntax: self, grammar, theme, doc };
        if !memo.contains_key(&(unit.digest, number)) {
            if memo.len() >= MEMO_MOST {
                memo.clear();
            }
            // Read from its beginning a hunk is coloured as a whole; a jump into its middle begins anew there.
            let before = number.checked_sub(1).and_then(|before| memo.get_mut(&(unit.digest, before)));
            let sides = match before {
                None => pen.begin(index),
                Some(before) => {
                    let from = unit.from + (number - 1) * CHUNK;
                    if !pen.colour(before, from, CHUNK) {
                        return Runs::new();
                    }
                    before.sides.clone()
                }
            };
            memo.insert((unit.digest, number), Chunk { lines: Vec::new(), sides });
        }
        let Some(chunk) = memo.get_mut(&(unit.digest, number)) else { return Runs::new() };
        pen.colour(chunk, unit.from + number * CHUNK, nth + 1);
        chunk.lines.get(nth).cloned().unwrap_or_default()
    }

    /// Takes what colouring a line costs off what is allowed; false if nothing is left.
    fn spend(&self, bytes: usize) -> bool {
        match self.allowed.get() {
            None => true,
            Some(0) => {
                self.lags.set(true);
                false
            }
            Some(left) => {
                self.allowed.set(Some(left.saturating_sub(bytes)));
                true
            }
        }
    }

    fn colour_of(&self, grammar: &Grammar, theme: &Theme, scopes: &[Scope]) -> Option<Color> {
        let mut palette = self.palette.borrow_mut();
        if let Some(known) = palette.get(scopes) {
            return *known;
        }
        if palette.len() >= PALETTE_MOST {
            palette.clear();
        }
        let colour = Highlighter::new(&grammar.colours).style_for_stack(scopes).foreground;
        let colour = theme.syntax_color([colour.r, colour.g, colour.b, colour.a]);
        palette.insert(scopes.to_vec(), colour);
        colour
    }
}

/// One side of a hunk on its way through the grammar.
#[derive(Clone, PartialEq)]
struct Side {
    parse: ParseState,
    scopes: ScopeStack,
}

/// Both sides of a hunk. The old one is there only while it differs from the new one: what they share is read once.
#[derive(Clone)]
struct Sides {
    new: Side,
    old: Option<Side>,
}

/// What colouring needs.
#[derive(Clone, Copy)]
struct Pen<'a> {
    syntax: &'a Syntax,
    grammar: &'a Grammar,
    theme: &'a Theme,
    doc: &'a Doc,
}

impl Pen<'_> {
    /// The beginning of the grammar for the file that a line is in, if there is one.
    fn begin(self, index: usize) -> Option<Sides> {
        let path = self.doc.file_at(index).map(|file| self.doc.path(file)).unwrap_or_default();
        let syntax = syntax_of(self.grammar, &path)?;
        Some(Sides { new: Side { parse: ParseState::new(syntax), scopes: ScopeStack::new() }, old: None })
    }

    /// Goes on with a chunk that begins at line `from` until `count` of its lines are coloured; false if that isn't
    /// allowed now.
    fn colour(self, chunk: &mut Chunk, from: usize, count: usize) -> bool {
        let Some(sides) = &mut chunk.sides else { return true };
        while chunk.lines.len() < count {
            let Some(line) = self.doc.line(from + chunk.lines.len()) else { break };
            if !self.syntax.spend(line.text.len() + LINE_LEAST) {
                return false;
            }
            let is_code = line.kind.is_diff_body() && line.text.len() <= LINE_MOST;
            chunk.lines.push(if is_code { self.pass(sides, line.kind, &line.text) } else { Runs::new() });
        }
        true
    }

    fn pass(self, sides: &mut Sides, kind: Kind, text: &str) -> Runs {
        let Sides { new, old } = sides;
        match kind {
            Kind::Minus => self.line(old.get_or_insert_with(|| new.clone()), text),
            Kind::Plus => {
                old.get_or_insert_with(|| new.clone());
                self.line(new, text)
            }
            _ => {
                let runs = self.line(new, text);
                if let Some(mut side) = old.take() {
                    self.line(&mut side, text);
                    *old = Some(side).filter(|side| side != new);
                }
                runs
            }
        }
    }

    fn line(self, side: &mut Side, text: &str) -> Runs {
        let mut runs = Runs::new();
        // A grammar that fails on a line leaves it plain: colour is not evidence.
        let Ok(changes) = side.parse.parse_line(&format!("{text}\n"), &self.grammar.syntaxes) else { return runs };
        let mut at = 0;
        for (to, change) in changes.iter().map(|(to, change)| (*to, Some(change))).chain([(text.len(), None)]) {
            let to = to.min(text.len());
            if at < to {
                if let Some(colour) = self.syntax.colour_of(self.grammar, self.theme, side.scopes.as_slice()) {
                    push(&mut runs, at..to, Style::new().fg(colour));
                }
                at = to;
            }
            if change.is_some_and(|change| side.scopes.apply(change).is_err()) {
                break;
            }
        }
        runs
    }
}

fn push(runs: &mut Runs, range: Range<usize>, style: Style) {
    match runs.last_mut() {
        Some((last, same)) if last.end == range.start && *same == style => last.end = range.end,
        _ => runs.push((range, style)),
    }
}

fn syntax_of<'g>(grammar: &'g Grammar, path: &str) -> Option<&'g SyntaxReference> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or(name, |(_, extension)| extension);
    let by_name = grammar.syntaxes.find_syntax_by_extension(name);
    by_name.or_else(|| grammar.syntaxes.find_syntax_by_extension(extension))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Depth;

    #[test]
    fn a_frame_colours_no_more_than_it_has_time_for_and_the_next_ones_the_rest() {
        let body: String = (0..400).map(|n| format!("+    /* {n} */ let total_{n} = \"{n}\".len() + {n};\n")).collect();
        let doc = Doc::of_patch("", &format!("diff --git a/x.rs b/x.rs\n@@ -0,0 +1,400 @@\n{body}"));
        let (theme, all) = (Theme::load("default-dark", None, Depth::True).0, 3..doc.len());
        let fresh = || {
            let syntax = Syntax::default();
            assert!(syntax.slot().set(Grammar::load(theme.syntax())).is_ok());
            syntax
        };
        let (unbounded, bounded) = (fresh(), fresh());
        let whole: Vec<Runs> = all.clone().map(|line| unbounded.runs(&theme, &doc, line)).collect();
        assert!(whole.iter().all(|runs| runs.len() > 4), "each line has its colours");
        assert!(!unbounded.lags());

        let mut coloured = 0;
        for frame in 1.. {
            bounded.begin_frame();
            let runs: Vec<Runs> = all.clone().map(|line| bounded.runs(&theme, &doc, line)).collect();
            let now = runs.iter().zip(&whole).take_while(|(bounded, whole)| bounded == whole).count();
            assert!(runs.iter().skip(now).all(Vec::is_empty), "what lags is plain");
            assert!(now > coloured && bounded.lags() == (now < whole.len()), "frame {frame}: {now} after {coloured}");
            coloured = now;
            if now == whole.len() {
                assert!(frame > 1, "all at once is no bound");
                break;
            }
        }
    }
}
