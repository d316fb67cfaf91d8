//! What is typed: a word at any time, or the answer to the question that was put.

use std::io;
use std::time::{Duration, Instant};

use super::super::TuiError;
use super::Question;
use super::front::Front;
use super::keyboard::Line;
use super::put::MOMENT;
use super::show;
use super::turn::{Next, Reading, Session};
use super::words::{self, Does, Show};
use crate::app::action::Action;
use crate::app::tell::plural;
use crate::app::{DWELL_MS, Msg, Overlay};

impl Session {
    /// A line: the answer to the question, if one was put, else a word.
    pub(super) fn line(&mut self, line: &Line) -> Result<Next, TuiError> {
        if let Some(question) = &mut self.question {
            let why = if !question.put || (line.hasty && question.counts) {
                "That was typed before the question, or too fast after it: it doesn't count."
            } else if question.decides && line.pasted {
                "Pasted text doesn't decide: type it."
            } else {
                return self.answer(line.text.trim());
            };
            // It is put again once the keyboard is quiet.
            (question.put, question.due) = (false, Instant::now() + MOMENT);
            if question.told.replace(why) != Some(why) {
                self.paper.line(why)?;
            }
            return Ok(Next::Go);
        }
        if self.front != Front::Nothing || line.text.trim().is_empty() {
            return Ok(Next::Go);
        }
        self.word(&line.text)
    }

    fn word(&mut self, line: &str) -> Result<Next, TuiError> {
        let (word, rest) = match words::read(line) {
            Ok(found) => found,
            Err(near) => {
                let hint =
                    near.map_or_else(|| "help lists what you can type".to_owned(), |near| format!("is it {near}?"));
                self.paper.line(&format!("I don't know {:?}; {hint}", line.trim()))?;
                return Ok(Next::Go);
            }
        };
        self.offered = None;
        let number = rest.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        match word.does {
            Does::Act(action) => return self.take(Msg::Act(action)),
            Does::Show(what) => {
                let lines = match what {
                    Show::Status => show::status(&self.work.model),
                    Show::Context => show::context(&self.work.model),
                    Show::Findings => show::findings(&self.work.model),
                    Show::Gates => show::gates(&self.work.model),
                    Show::Readings => show::readings(&self.work.model),
                    Show::Help => show::help(),
                };
                self.paper.lines(lines)?;
                if what == Show::Findings {
                    self.work.model.say_findings_read();
                }
                if what == Show::Status {
                    self.offered = Some(show::offer(&self.work.model));
                }
            }
            Does::Read(all) => self.read_from(0, all)?,
            Does::Stage => {
                let Some(wanted) =
                    number.filter(|n| self.work.model.current().is_some_and(|one| *n < one.stages.len()))
                else {
                    return self.numbered("stage");
                };
                while self.work.model.stage_index().0 != wanted {
                    let forward = self.work.model.stage_index().0 < wanted;
                    let action = if forward { Action::StageViewNext } else { Action::StageViewPrev };
                    self.take(Msg::Act(action))?;
                }
                self.paper.lines(show::status(&self.work.model))?;
            }
            Does::Item(keep) => {
                let items = self.work.model.stage().map(|stage| stage.context.as_slice()).unwrap_or_default();
                let Some(index) = number.filter(|index| *index < items.len()) else { return self.numbered("context") };
                if items.get(index).is_some_and(|item| item.included != keep) {
                    self.work.model.item = index;
                    return self.take(Msg::Act(Action::ContextToggle));
                }
                self.paper.line("It is so already.")?;
            }
            Does::Finding(action) => {
                let count = self.work.model.stage().and_then(|s| s.current_critique()).map_or(0, |c| c.findings.len());
                let Some(index) = number.filter(|index| *index < count) else { return self.numbered("findings") };
                self.work.model.finding = index;
                return self.take(Msg::Act(action));
            }
            Does::Gate(action) => {
                let gates =
                    self.work.model.current().map(|one| one.gates(self.work.model.stage_index())).unwrap_or_default();
                let named = gates.iter().position(|gate| gate.name == rest);
                let Some(index) = named.or(number).filter(|index| *index < gates.len()) else {
                    return self.numbered("gates");
                };
                self.work.model.gate = index;
                return self.take(Msg::Act(action));
            }
            Does::Part(action) => {
                let units = self.work.model.artifact.units();
                let part = number.and_then(|number| units.get(number)).map(|unit| unit.from);
                let Some(line) = part else { return self.numbered("again") };
                self.work.model.mark = Some(line);
                let next = self.take(Msg::Act(action))?;
                if action == Action::HunkAccept {
                    self.paper.line("Noted.")?;
                }
                return Ok(next);
            }
        }
        Ok(Next::Go)
    }

    fn numbered(&self, lists: &str) -> Result<Next, TuiError> {
        self.paper.line(&format!("Which one? {lists} has the numbers."))?;
        Ok(Next::Go)
    }

    /// Puts the next part to be read, from this one on.
    fn read_from(&mut self, from: usize, all: bool) -> io::Result<()> {
        self.reading = None;
        let (doc, read) = (&self.work.model.artifact, &self.work.model.reading);
        let next = (from..doc.units().len())
            .find(|index| all || doc.units().get(*index).is_some_and(|unit| !read.is_seen(&unit.digest)));
        let Some((index, unit)) = next.and_then(|index| Some((index, doc.units().get(index)?))) else {
            let findings = self.work.model.unread_findings();
            if findings.seen < findings.total {
                self.paper.lines(show::findings(&self.work.model))?;
                self.work.model.say_findings_read();
            }
            let unread = self.work.model.unread();
            return self.paper.line(&match unread.total {
                0 => "There is nothing to read yet.".to_owned(),
                total if unread.seen == total => format!("All of it is read ({}).", plural(total as usize, "part")),
                total => format!("That was the end; {} of {total} parts are read.", unread.seen),
            });
        };
        self.paper.line(&show::part_title(doc, index, unit))?;
        self.paper.lines(show::part(doc, unit))?;
        self.reading = Some(Reading { unit: index, digest: unit.digest, all });
        self.ask_for_part(DWELL_MS);
        Ok(())
    }

    pub(super) fn ask_for_part(&mut self, after: i64) {
        let text = "Enter: read, go on. accept, reject or comment marks this part; back stops.";
        self.question = Some(Question::new(text, Duration::from_millis(after.unsigned_abs()), false));
    }

    /// An answer to the question that was put.
    fn answer(&mut self, text: &str) -> Result<Next, TuiError> {
        self.question = None;
        let word = text.to_lowercase();
        let asked = std::mem::replace(&mut self.front, Front::Answered);
        match asked {
            Front::Sheet { field: None, .. } => match word.as_str() {
                "approve" => self.take(Msg::Act(Action::StageApprove)),
                "revise" => self.take(Msg::Act(Action::DecisionRevise)),
                "abandon" => self.take(Msg::Act(Action::DecisionAbandon)),
                "back" => self.take(Msg::Act(Action::Back)),
                _ => Ok(Next::Go),
            },
            Front::Sheet { field: Some(_), .. } => {
                self.take(Msg::Line(text.to_owned()))?;
                // The word was typed before; what was missing is there now.
                let done =
                    matches!(self.work.model.overlays.last(), Some(Overlay::Sheet(sheet)) if sheet.field.is_none());
                if done { self.take(Msg::Act(Action::StageApprove)) } else { Ok(Next::Go) }
            }
            Front::Trust => match word.as_str() {
                "trust" => self.take(Msg::Act(Action::TrustGive)),
                "back" => self.take(Msg::Act(Action::Back)),
                _ => Ok(Next::Go),
            },
            Front::Pick { .. } if text.is_empty() => self.take(Msg::Act(Action::Back)),
            Front::Ask { .. } | Front::Pick { .. } => self.take(Msg::Line(text.to_owned())),
            Front::Nothing | Front::Answered | Front::Text => self.answer_for_part(&word),
        }
    }

    fn answer_for_part(&mut self, word: &str) -> Result<Next, TuiError> {
        let Some(reading) = self.reading else { return Ok(Next::Go) };
        let unit = self.work.model.artifact.units().get(reading.unit).filter(|unit| unit.digest == reading.digest);
        let Some(from) = unit.map(|unit| unit.from) else {
            self.reading = None;
            self.paper.line("The artifact has changed meanwhile; read begins again.")?;
            return Ok(Next::Go);
        };
        let action = match word {
            "" => {
                self.take(Msg::Read(reading.unit))?;
                self.read_from(reading.unit + 1, reading.all)?;
                self.front = Front::Nothing;
                return Ok(Next::Go);
            }
            "accept" => Action::HunkAccept,
            "reject" => Action::HunkReject,
            "comment" => Action::HunkComment,
            "back" => {
                self.reading = None;
                return Ok(Next::Go);
            }
            _ => return Ok(Next::Go),
        };
        self.work.model.mark = Some(from);
        let next = self.take(Msg::Act(action))?;
        if action == Action::HunkAccept {
            self.paper.line("Noted.")?;
        }
        Ok(next)
    }
}
