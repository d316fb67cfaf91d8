//! Keys on their way to messages: sequences, text, pastes.

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseEventKind};

use crate::app::{Model, Msg};
use crate::keymap::{Key, Keymap, Menu, Step};

/// How long a begun sequence waits before its continuations are shown.
const POPUP_AFTER: Duration = Duration::from_millis(250);

/// The keys pressed of a sequence that isn't complete.
#[derive(Default)]
pub(super) struct Pending {
    keys: Vec<Key>,
    menu: Option<Menu>,
    since: Option<Instant>,
}

impl Pending {
    /// What can follow, once it is time to show it.
    pub(super) fn shown(&self, now: Instant) -> Option<&Menu> {
        self.menu.as_ref().filter(|_| self.popup_at().is_some_and(|at| now >= at))
    }

    /// When the continuations are to be shown.
    pub(super) fn popup_at(&self) -> Option<Instant> {
        self.since.map(|since| since + POPUP_AFTER)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What an event of the terminal means now; none if nothing.
pub(super) fn message(model: &Model, keymap: &Keymap, pending: &mut Pending, event: Event) -> Option<Msg> {
    match event {
        Event::Resize(columns, rows) => Some(Msg::Resize(columns, rows)),
        Event::Paste(text) => {
            pending.forget();
            Some(Msg::Paste(text))
        }
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(press(model, keymap, pending, key)),
        Event::Mouse(mouse) if !model.takes_text() => match mouse.kind {
            MouseEventKind::ScrollDown => Some(Msg::Wheel { down: true }),
            MouseEventKind::ScrollUp => Some(Msg::Wheel { down: false }),
            _ => None,
        },
        _ => None,
    }
}

fn press(model: &Model, keymap: &Keymap, pending: &mut Pending, event: KeyEvent) -> Msg {
    let Some(key) = Key::from_event(&event) else { return Msg::Stray };
    match keymap.feed(&model.contexts(), &|fact| model.fact(fact), &pending.keys, key) {
        Step::Run(action) => {
            pending.forget();
            Msg::Act(action)
        }
        Step::Pending(menu) => {
            pending.keys.push(key);
            pending.menu = Some(menu);
            pending.since.get_or_insert_with(Instant::now);
            Msg::Stray
        }
        Step::None => {
            let began = !pending.keys.is_empty();
            pending.forget();
            if model.takes_text() && !began { Msg::Input(event.into()) } else { Msg::Stray }
        }
    }
}
