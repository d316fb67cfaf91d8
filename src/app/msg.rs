//! What reaches the screen's state, and what it asks of the world.

use tui_textarea::Input;

use crate::domain::{Digest, ExchangeId, LoopId, Role, StageIndex, TreeId};
use crate::engine::{Command, Recorded};

use super::action::Action;
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
    /// A key that means nothing here.
    Stray,
    /// Text was pasted.
    Paste(String),
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
        /// What it waits for.
        waiting: Waiting,
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
    /// What went over the wire in a call, as text.
    Call {
        /// The call.
        exchange: ExchangeId,
        /// What was sent and received.
        text: String,
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
    /// Look at the checkout again.
    LookAround,
    /// Read the configuration again.
    Reload,
    /// Read what went over the wire in this call.
    ReadCall(ExchangeId),
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
    /// Leave.
    Quit,
}
