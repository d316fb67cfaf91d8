//! The fixed list of what a theme can style.

macro_rules! scopes {
    ($($variant:ident $name:literal;)*) => {
        /// Something a theme styles. What a theme leaves unset looks like its parent: `diff.plus.emph` like `diff.plus`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Scope {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name themes use.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

scopes! {
    Text "ui.text";
    Muted "ui.muted";
    Selection "ui.selection";
    Cursor "ui.cursor";
    Match "ui.match";
    Popup "ui.popup";
    Banner "ui.banner";
    FooterKey "ui.footer.key";
    FooterDesc "ui.footer.desc";
    Tab "ui.tab";
    TabActive "ui.tab.active";
    Pane "ui.pane";
    PaneFocused "ui.pane.focused";
    PaneStale "ui.pane.stale";
    PaneTitle "ui.pane.title";
    StagePending "stage.pending";
    StageActive "stage.active";
    StageAwaiting "stage.awaiting";
    StageApproved "stage.approved";
    StageRejected "stage.rejected";
    GatePass "gate.pass";
    GateFail "gate.fail";
    GateRunning "gate.running";
    GateSkip "gate.skip";
    GateStale "gate.stale";
    GateOverridden "gate.overridden";
    CritiqueBlocker "critique.blocker";
    CritiqueMajor "critique.major";
    CritiqueMinor "critique.minor";
    CritiqueNote "critique.note";
    CritiqueResolved "critique.resolved";
    DiffPlus "diff.plus";
    DiffPlusEmph "diff.plus.emph";
    DiffMinus "diff.minus";
    DiffMinusEmph "diff.minus.emph";
    DiffMoved "diff.moved";
    DiffMovedEmph "diff.moved.emph";
    DiffContext "diff.context";
    DiffContextEmph "diff.context.emph";
    DiffGutter "diff.gutter";
    DiffGutterEmph "diff.gutter.emph";
    HunkUnread "hunk.unread";
    HunkAccepted "hunk.accepted";
    HunkRejected "hunk.rejected";
    HunkChanged "hunk.changed";
    DecisionSafe "decision.safe";
    DecisionDanger "decision.danger";
    CostOk "cost.ok";
    CostWarn "cost.warn";
    CostOver "cost.over";
    MarkupHeading "markup.heading";
    MarkupList "markup.list";
    MarkupBold "markup.bold";
    MarkupItalic "markup.italic";
    MarkupStrikethrough "markup.strikethrough";
    MarkupLink "markup.link";
    MarkupQuote "markup.quote";
    MarkupRaw "markup.raw";
}

/// The name itself, then ever shorter beginnings of it: `a.b.c`, `a.b`, `a`.
pub(super) fn ancestry(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.rsplit_once('.').map(|(parent, _)| parent))
}
