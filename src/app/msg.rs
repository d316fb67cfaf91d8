//! What reaches the screen's state, and what it asks of the world.

use std::collections::BTreeMap;

use tui_textarea::Input;

use crate::domain::{Digest, ExchangeId, LoopId, Offer, Role, StageIndex, Timestamp, TreeId};
use crate::engine::{Command, Recorded};

use super::action::Action;
use super::casting::{Candidate, Findings, Tried};
use super::model::{Host, Live, Waiting};

/// Something that happened to the screen.
#[derive(Debug, Clone)]
pub enum Msg {
    /// The window has this size.
    Resize(u16, u16),
    /// A key meant this action.
    Act(Action),
    /// A key in a text field.
    Input(Input),
    /// A notch of the wheel.
    Wheel {
        /// Which way the text goes on.
        down: bool,
    },
    /// A key that means nothing here.
    Stray,
    /// Text was pasted.
    Paste(String),
    /// A whole line was typed as the answer to what stands in front: from a face that takes lines, not keys.
    Line(String),
    /// The human says that they have read this part of the artifact, which was put before them whole.
    Read(usize),
    /// The screen was drawn as the model says.
    Painted,
    /// The moment asked for by `Model::wake_at` has come.
    Woken,
    /// An event is in the journal.
    Event(Box<Recorded>),
    /// A model said more.
    Delta {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Which model.
        role: Role,
        /// The finding it was asked about; none for a draft or a critique.
        finding: Option<usize>,
        /// What it said.
        text: String,
        /// Whether it is reasoning rather than the reply.
        reasoning: bool,
    },
    /// An attempt of a call has failed, and another will follow.
    Waiting {
        /// The loop.
        id: LoopId,
        /// The stage.
        stage: StageIndex,
        /// Which model.
        role: Role,
        /// The finding it was asked about; none for a draft or a critique.
        finding: Option<usize>,
        /// What it waits for.
        waiting: Waiting,
    },
    /// It is a gate's turn: it runs from now on.
    GateBegan {
        /// The gate.
        gate: String,
        /// When.
        at: Timestamp,
    },
    /// A gate printed more.
    GateOutput {
        /// The gate.
        gate: String,
        /// What it printed.
        text: String,
    },
    /// How a preparation is getting on.
    Progress(String),
    /// A command was refused, or something failed outside the record.
    Refused(String),
    /// What runs in the process that drives, on the screen of one that looks on.
    Live(Box<Live>),
    /// Who looks on.
    Watchers(Vec<String>),
    /// The surroundings are these now.
    Host(Box<Host>),
    /// The repository's files, for the picker.
    Files(Vec<String>),
    /// The models that could have a role, for the picker.
    Models {
        /// All that are known by now.
        offers: Vec<Offer>,
        /// Whether more may come.
        more: bool,
    },
    /// What was found on this machine to choose models from.
    Found(Box<Findings>),
    /// What came of trying models out.
    Tried(Vec<Tried>),
    /// The models are written down: what to say of it.
    Cast(String),
    /// What went over the wire in a call, as text.
    Call {
        /// The call.
        exchange: ExchangeId,
        /// What was sent and received.
        text: String,
    },
    /// The calls that have a text in their prompt or reply, each with the first line that has it.
    FoundCalls {
        /// What was searched for.
        text: String,
        /// Where it is.
        lines: BTreeMap<ExchangeId, String>,
    },
    /// Two revisions were compared.
    Compared {
        /// Which.
        note: String,
        /// What differs.
        patch: String,
    },
    /// The human's editor has ended.
    Edited {
        /// The text as it is now; none if it wasn't changed.
        text: Option<String>,
    },
}

/// What the screen asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Decide this.
    Command(Box<Command>),
    /// Begin a loop on the checkout as it is now.
    Begin {
        /// The effort's goal.
        goal: String,
        /// The constraint that the previous loop named.
        hint: Option<String>,
    },
    /// Open this text in the human's editor.
    Edit(String),
    /// Open the change's worktree in the human's editor, then take what is there.
    EditWorktree(LoopId),
    /// Make the calls of this loop that wait again at once.
    AskNow(LoopId),
    /// List the repository's files.
    ListFiles,
    /// List the models that could have a role.
    ListModels,
    /// Look for models: keys in the environment, servers on this machine, programs.
    LookForModels,
    /// Ask each of these one small question.
    TryModels(Vec<Candidate>),
    /// Write these down as the person's own choice.
    Cast(Vec<(Role, Candidate)>),
    /// Leave, and show the demo.
    Demo,
    /// Look at the checkout again.
    LookAround,
    /// Read the configuration again.
    Reload,
    /// Read what went over the wire in this call.
    ReadCall(ExchangeId),
    /// Find the calls that have this text in their prompt or reply.
    FindCalls(String),
    /// Compare two revisions of a change.
    Compare {
        /// The tree of the earlier one.
        from: TreeId,
        /// The tree of the later one.
        to: TreeId,
        /// Which they are.
        note: String,
    },
    /// Trust the configuration with this digest.
    Trust(Digest),
    /// Stop, until the shell brings the program back.
    Suspend,
    /// Send this text to the clipboard, and keep it in a file of this name.
    Copy {
        /// The file's name.
        name: String,
        /// The text.
        text: String,
    },
    /// Look like the theme of this name from now on.
    ShowTheme(String),
    /// Leave.
    Quit,
}
