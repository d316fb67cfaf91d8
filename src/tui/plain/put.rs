//! What is put before the person: news, questions, and what a decision rests on.

use std::io;
use std::time::Duration;

use super::super::work::now;
use super::front::Front;
use super::turn::{Session, awaited};
use super::{Question, show};
use crate::app::action::Action;
use crate::app::tell;
use crate::app::{ARM_MS, Field, Msg, Notice, Overlay, update};

/// The most rows of a list that are printed at once.
const ROWS: usize = 30;

/// How long what decides stands there before it is asked, so that its keys count.
pub(super) const MOMENT: Duration = Duration::from_millis(ARM_MS.unsigned_abs() + 50);

impl Session {
    /// Says the line that the screen would show until the next key.
    pub(super) fn say_notice(&mut self) -> io::Result<()> {
        let Some(Notice { text, is_error }) = self.work.model.notice.take() else { return Ok(()) };
        let head = if is_error { "! " } else { "" };
        self.paper.line(&format!("{head}{text}"))
    }

    /// Says what there is to say after something happened, and puts what is in front if that is new.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.say_notice()?;
        self.say_if_awaiting()?;
        let front = Front::of(&self.work.model);
        if front != self.front {
            let before = std::mem::replace(&mut self.front, front.clone());
            self.question = None;
            self.introduce(&front, &before)?;
        }
        if self.front == Front::Nothing && self.question.is_none() && !self.work.model.is_busy() {
            let offer = show::offer(&self.work.model);
            if self.offered.as_ref() != Some(&offer) {
                self.paper.line(&offer)?;
                self.offered = Some(offer);
            }
        }
        Ok(())
    }

    /// Says once, with a bell, when a stage begins to wait for its human.
    fn say_if_awaiting(&mut self) -> io::Result<()> {
        let now = awaited(&self.work.model);
        if now == self.awaited {
            return Ok(());
        }
        self.awaited = now;
        let stage = self.work.model.stage().filter(|_| now.is_some());
        let Some((stage, awaits)) = stage.and_then(|stage| Some((stage, tell::awaits(stage)?))) else { return Ok(()) };
        self.paper.line(&format!("{awaits}: {}.", show::standing(&self.work.model, stage)))?;
        self.offered = None;
        self.paper.ring()
    }

    fn introduce(&mut self, front: &Front, before: &Front) -> io::Result<()> {
        let at_once = Duration::ZERO;
        let question = match (front, self.work.model.overlays.last()) {
            (Front::Sheet { field: Some(Field::Reason), error }, _) => {
                self.paper.lines(error)?;
                Question::new("Why approve all the same? At least 12 characters; C-c goes back.", MOMENT, true)
            }
            (Front::Sheet { field: Some(Field::Name), error }, Some(Overlay::Sheet(sheet))) => {
                self.paper.lines(error)?;
                let name = sheet.lands.clone().unwrap_or_default();
                Question::new(format!("Approving lands. Type {name} to confirm; C-c goes back."), MOMENT, true)
            }
            (Front::Sheet { error, .. }, Some(Overlay::Sheet(sheet))) => {
                match error {
                    Some(error) => self.paper.line(&format!("! {error}"))?,
                    None if matches!(before, Front::Answered) && sheet.arming.is_armed(now()) => {}
                    None => self.paper.lines(show::sheet(&self.work.model, sheet))?,
                }
                Question::new("Type approve, revise, abandon or back.", MOMENT, true)
            }
            (Front::Ask { error, .. }, Some(Overlay::Ask(ask))) => {
                match error {
                    Some(error) => self.paper.line(&format!("! {error}"))?,
                    None => self.paper.lines([ask.hint.as_str()].into_iter().filter(|hint| !hint.is_empty()))?,
                }
                let begun = ask.text();
                let mut end = "C-c goes back.".to_owned();
                if !begun.trim().is_empty() {
                    self.paper.line("Begun already:")?;
                    self.paper.lines(begun.lines())?;
                    end.insert_str(0, "Enter alone takes what is begun; ");
                }
                Question::new(format!("{} ({end})", ask.title), at_once, false)
            }
            (Front::Pick { loading: true, .. }, _) => return self.paper.line("A moment."),
            (Front::Pick { title, .. }, Some(Overlay::Pick(picker))) => {
                let rows = picker.matching();
                let shown = rows.iter().zip(1..).take(ROWS);
                self.paper.lines(shown.map(|(row, number)| format!("{number}. {} ({})", row.label, row.detail)))?;
                if rows.len() > ROWS {
                    self.paper.line(&format!("and {} more; type words to narrow it down", rows.len() - ROWS))?;
                }
                Question::new(format!("{title}: a number, words to search, or Enter to go back."), at_once, false)
            }
            (Front::Trust, Some(Overlay::Trust(trust))) => {
                self.paper.line(&format!(
                    "These commands come from the repository. They run as you: {}:",
                    self.work.model.host.protection
                ))?;
                self.paper.lines(trust.text.lines_from(0).map(|(_, line)| line.text))?;
                Question::new("Type trust to trust exactly this, or back.", MOMENT, true)
            }
            (Front::Text, Some(Overlay::Text { source, .. })) => {
                let doc = self.work.model.text_of(source);
                let lines = doc.iter().flat_map(|doc| doc.lines_from(0)).map(|(_, line)| line.text);
                self.paper.lines(lines)?;
                let _ = update(&mut self.work.model, Msg::Act(Action::Back), now());
                self.front = Front::Answered;
                return Ok(());
            }
            (Front::Nothing, _) if self.reading.is_some() => {
                self.ask_for_part(0);
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.question = Some(question);
        // It is on the paper, whole: from now on it is counted how long it stands there.
        let _ = update(&mut self.work.model, Msg::Painted, now());
        Ok(())
    }

    /// Puts the question that is due. What was typed before it is thrown away.
    pub(super) fn put(&mut self) -> io::Result<()> {
        let Some(question) = &mut self.question else { return Ok(()) };
        question.put = true;
        self.keyboard.drain()?;
        self.paper.line(&question.text)
    }
}
