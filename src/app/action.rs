//! Every action a key can have: the one table behind dispatch, help, palette, footer and key file checks.

/// Where keys are looked up. The active contexts, innermost first, always end in [`Context::Global`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Everywhere but in text and in the decision sheet.
    Global,
    /// The constraint pane.
    Constraint,
    /// The artifact pane while it shows prose.
    Plan,
    /// The artifact pane while it shows a change.
    Diff,
    /// The critique pane.
    Critique,
    /// The gates pane.
    Gates,
    /// A list in front: loops, context items, help.
    List,
    /// A text field; printable keys are always text here.
    Text,
    /// The decision sheet.
    Confirm,
    /// The repository's commands, before they are trusted.
    Trust,
}

impl Context {
    /// Every context.
    pub const ALL: [Self; 10] = [
        Self::Global,
        Self::Constraint,
        Self::Plan,
        Self::Diff,
        Self::Critique,
        Self::Gates,
        Self::List,
        Self::Text,
        Self::Confirm,
        Self::Trust,
    ];

    /// The name key files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Constraint => "constraint",
            Self::Plan => "plan",
            Self::Diff => "diff",
            Self::Critique => "critique",
            Self::Gates => "gates",
            Self::List => "list",
            Self::Text => "text",
            Self::Confirm => "confirm",
            Self::Trust => "trust",
        }
    }

    /// Where that is, as people say it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Constraint => "In the constraint",
            Self::Plan => "In the artifact, and in the list of what is sent",
            Self::Diff => "In a change",
            Self::Critique => "In the critique",
            Self::Gates => "In the gates",
            Self::List => "In a list or a text in front",
            Self::Text => "While typing",
            Self::Confirm => "On the decision sheet",
            Self::Trust => "On the commands to be trusted",
        }
    }
}

/// What one row of the table says of an action.
#[derive(Debug, Clone, Copy)]
pub struct ActionInfo {
    /// The action.
    pub action: Action,
    /// The name key files use: `noun.verb`.
    pub name: &'static str,
    /// One or two words for the footer.
    pub short: &'static str,
    /// A sentence for help and palette.
    pub doc: &'static str,
}

macro_rules! actions {
    ($($variant:ident $name:literal $short:literal $doc:literal;)*) => {
        /// Something a key can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = $doc] $variant,)*
        }

        /// Every action, in the order help shows them.
        pub const ACTIONS: &[ActionInfo] =
            &[$(ActionInfo { action: Action::$variant, name: $name, short: $short, doc: $doc },)*];
    };
}

actions! {
    DecisionOpen "decision.open" "decide" "Open the decision sheet of the stage under review";
    StageApprove "stage.approve" "approve" "Approve this stage, on exactly the evidence shown";
    DecisionRevise "decision.revise" "revise" "Send the stage back to its author, with a reason";
    DecisionAbandon "decision.abandon" "abandon" "Abandon the loop, with a reason";
    DraftSend "draft.send" "draft" "Send the listed context to the author";
    DraftTakeBack "draft.take-back" "take back" "Go back to the revision that was sent back";
    DraftWrite "draft.write" "write it" "Write the artifact by hand instead of a model";
    CallRetryNow "call.retry-now" "ask now" "Make the call that waits for its next attempt again at once";
    ModelChoose "model.choose" "other model" "Have another model draft, or object, in this stage";
    RunCancel "run.cancel" "cancel" "Cancel what is running";
    PlanEditInline "plan.edit-inline" "edit" "Edit the artifact here";
    PlanEditExternal "plan.edit-external" "$EDITOR" "Edit the artifact, or the change's worktree, in $EDITOR";
    ReplyShow "reply.show" "reply" "Show the author's reply that could not be used, as it came";
    ContextToggle "context.toggle" "keep/drop" "Keep or drop the selected context item";
    ContextAdd "context.add" "add file" "Add a file of the repository to the context";
    CritiqueRerun "critique.rerun" "re-review" "Ask the critic again";
    FindingNext "finding.next" "next finding" "Select the next finding";
    FindingPrev "finding.prev" "prev finding" "Select the previous finding";
    FindingJump "finding.jump" "jump" "Jump from the selected finding to what it points at, or back to it";
    FindingShow "finding.show" "show" "Show the selected finding whole";
    FindingExplain "finding.explain" "ask critic" "Ask the critic about the selected finding";
    FindingAnswer "finding.answer" "ask author" "Ask the author about the selected finding";
    FindingDismiss "finding.dismiss" "dismiss" "Set the selected finding aside, with a reason";
    GateLog "gate.log" "log" "Show the output of the selected gate";
    GateRerun "gate.rerun" "rerun" "Run the selected gate again";
    GateRerunAll "gate.rerun-all" "rerun all" "Run every gate of the stage again";
    GateOverride "gate.override" "override" "Go on despite the selected gate, with a reason";
    HunkAccept "hunk.accept" "accept" "Mark the part at the cursor as accepted, or take that back";
    HunkReject "hunk.reject" "reject" "Reject the part at the cursor, and say why; again takes it back";
    HunkComment "hunk.comment" "comment" "Comment on the part at the cursor; it goes to the author with a revision";
    HunkRange "hunk.range" "mark lines" "Mark lines from the cursor on: what comes next is about them alone";
    HunkSplit "hunk.split" "split" "Split the part at the cursor between its changes";
    HunkUndo "hunk.undo" "undo" "Take the last opinion on a part back";
    ChangedNext "changed.next" "next changed" "Go to the next part that changed since the revision you looked at before";
    ChangedShow "changed.show" "changes" "Show what changed since the revision you looked at before";
    DiffSides "diff.sides" "side by side" "Show old and new next to each other, or one below the other";
    DiffSpace "diff.space" "white space" "Fold changes of white space alone away, or show them";
    FileFold "file.fold" "fold" "Fold the file at the cursor away, or show it";
    FilesOpen "files.open" "files" "List the changed files with how much of each was read, and go to one";
    HunkNext "hunk.next" "next hunk" "Go to the next hunk or heading";
    HunkPrev "hunk.prev" "prev hunk" "Go to the previous hunk or heading";
    HunkNextUnread "hunk.next-unread" "unread" "Go to the next part or finding not on screen yet";
    FileNext "file.next" "next file" "Go to the next file of the change";
    FilePrev "file.prev" "prev file" "Go to the previous file of the change";
    FocusNext "focus.next" "next pane" "Focus the next pane";
    FocusPrev "focus.prev" "prev pane" "Focus the previous pane";
    FocusConstraint "focus.constraint" "constraint" "Focus the constraint";
    FocusPlan "focus.plan" "artifact" "Focus the artifact under work";
    FocusCritique "focus.critique" "critique" "Focus the critique";
    FocusGates "focus.gates" "gates" "Focus the gates";
    ZoomToggle "zoom.toggle" "zoom" "Give the focused pane the whole screen, or take it back";
    ScrollDown "scroll.down" "down" "Down one line or item";
    ScrollUp "scroll.up" "up" "Up one line or item";
    ScrollHalfDown "scroll.half-down" "half down" "Down half a screen";
    ScrollHalfUp "scroll.half-up" "half up" "Up half a screen";
    ScrollTop "scroll.top" "top" "To the top";
    ScrollBottom "scroll.bottom" "bottom" "To the bottom, and follow what arrives";
    ScrollLeft "scroll.left" "left" "Scroll long lines left";
    ScrollRight "scroll.right" "right" "Scroll long lines right";
    WrapToggle "wrap.toggle" "wrap" "Wrap long lines, or scroll them";
    SearchOpen "search.open" "search" "Search in the focused pane";
    SearchNext "search.next" "next match" "To the next match";
    SearchPrev "search.prev" "prev match" "To the previous match";
    StageViewPrev "stage.view-prev" "earlier stage" "Look at an earlier stage of the loop";
    StageViewNext "stage.view-next" "later stage" "Look at a later stage of the loop";
    StageReopen "stage.reopen" "go back" "Go back to the stage on view: it opens again, later ones become stale";
    LoopNew "loop.new" "new loop" "Begin a loop";
    LoopList "loop.list" "loops" "List the loops, and resume or read one";
    LoopPark "loop.park" "park" "Park the loop; it can be resumed";
    LoopAbandon "loop.abandon" "abandon" "Abandon the loop; its record stays";
    LoopLand "loop.land" "land again" "Try a landing again that failed";
    CallsOpen "calls.open" "calls" "List every call of a model, and read what was sent and said";
    TimelineOpen "timeline.open" "revisions" "List every revision of the loop and what became of it; read one, or compare any two";
    AwayShow "away.show" "what happened" "Tell what happened while you were away";
    ReviewCopy "review.copy" "copy" "Send the review of the stage to the clipboard as Markdown, and keep it in a file";
    TrustOpen "trust.open" "trust" "Read the repository's commands and trust them";
    TrustGive "trust.give" "trust" "Trust exactly the commands that were shown";
    RolesOpen "roles.open" "models" "Choose who drafts and who objects, from what is found on this machine";
    ConfigReload "config.reload" "reload" "Read the configuration, the theme and the keys again";
    PaletteOpen "palette.open" "commands" "Find a command by name";
    HelpOpen "help.open" "help" "Show every key and every sign";
    NextExplain "next.explain" "what next" "Say what is waited for, and which key goes on";
    ThemePick "theme.pick" "themes" "Choose the colours by looking at them";
    PlaceBack "place.back" "go back" "Go back to the place before the last jump";
    Select "select" "select" "Take the selected item";
    Back "back" "back" "Close what is in front";
    TextSubmit "text.submit" "send" "Finish the text";
    Suspend "app.suspend" "suspend" "Back to the shell; gates stop until you return (fg)";
    Quit "app.quit" "quit" "Leave; everything is saved";
}

impl Action {
    /// The table row of this action.
    pub fn info(self) -> &'static ActionInfo {
        // The table is generated with the enum, in the same order; the first row can only stand in for a hole that
        // the test below shows not to exist.
        const FIRST: ActionInfo = ActionInfo { action: Action::DecisionOpen, name: "", short: "", doc: "" };
        ACTIONS.get(self as usize).unwrap_or(&FIRST)
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|row| row.name == name).map(|row| row.action)
    }

    /// Whether key files may bind it only in the decision sheet, and never to Enter, Space or Escape.
    pub const fn is_guarded(self) -> bool {
        matches!(self, Self::StageApprove)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_step_with_the_enum() {
        for row in ACTIONS {
            assert_eq!(row.action.info().name, row.name);
            assert_eq!(Action::from_name(row.name), Some(row.action));
            assert!(!row.doc.is_empty() && !row.short.is_empty());
        }
    }

    #[test]
    fn no_action_approves_more_than_one_stage() {
        let approving: Vec<_> = ACTIONS.iter().filter(|row| row.name.contains("approve")).map(|row| row.name).collect();
        assert_eq!(approving, ["stage.approve"]);
    }
}
