//! Which pane stands where, at any size: the geometry that drawing and scrolling share.

/// One of the four things shown side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// The constraint.
    Constraint,
    /// The artifact under work: plan, change or outcome.
    Plan,
    /// What the second model says.
    Critique,
    /// What the gates say.
    Gates,
}

impl Pane {
    /// In the order of the screen.
    pub const ALL: [Self; 4] = [Self::Constraint, Self::Plan, Self::Critique, Self::Gates];

    /// The number its key has.
    pub const fn number(self) -> usize {
        self as usize + 1
    }
}

/// A rectangle in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    /// Column of its left edge, from 0.
    pub x: u16,
    /// Row of its upper edge, from 0.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Area {
    /// A rectangle.
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }
}

/// How the panes share the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Four columns.
    Columns,
    /// The artifact beside critique over gates; the constraint a line above.
    Split,
    /// One pane under a strip of tabs.
    Tabs,
    /// One pane, nothing else.
    Single,
    /// Too small to say more than that.
    TooSmall,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// The form.
    pub form: Form,
    /// Loop and stages; absent when too small.
    pub header: Option<Area>,
    /// The strip of tabs, or the constraint in one line.
    pub strip: Option<Area>,
    /// The visible panes, title row included.
    pub panes: Vec<(Pane, Area)>,
    /// What was decided so far.
    pub timeline: Option<Area>,
    /// What the human is waited for.
    pub decision: Option<Area>,
    /// Keys that work now.
    pub footer: Option<Area>,
}

impl Screen {
    /// Where `pane` is, if it is visible.
    pub fn pane(&self, pane: Pane) -> Option<Area> {
        self.panes.iter().find(|(visible, _)| *visible == pane).map(|(_, area)| *area)
    }
}

/// Columns of text and rows inside of a popup that takes the whole window: bars above and below, a column at each side.
pub fn text_room(size: (u16, u16)) -> (usize, usize) {
    (usize::from(size.0.saturating_sub(3)), usize::from(size.1.saturating_sub(4)))
}

/// Columns and rows of the popup that help is in, bars included.
pub fn help_popup(size: (u16, u16)) -> (u16, u16) {
    (size.0.min(84), size.1.saturating_sub(2).max(8).min(size.1))
}

/// Columns and rows of help's own lines; the first is for the filter.
pub fn help_room(size: (u16, u16)) -> (usize, usize) {
    let (columns, rows) = help_popup(size);
    (usize::from(columns.saturating_sub(2)), usize::from(rows.saturating_sub(2)))
}

/// The least size Windlass draws in.
pub const LEAST: (u16, u16) = (40, 10);

/// Columns by which a window must pass a breakpoint backwards before the form changes back.
const HYSTERESIS: u16 = 3;

/// The form for a width, staying with `before` near a breakpoint so that a jittering window doesn't flip.
pub fn form_for(width: u16, height: u16, before: Option<Form>) -> Form {
    if width < LEAST.0 || height < LEAST.1 {
        return Form::TooSmall;
    }
    let plain = |width: u16| match width {
        160.. => Form::Columns,
        100..160 => Form::Split,
        60..100 => Form::Tabs,
        _ => Form::Single,
    };
    match before {
        Some(before) if before != plain(width) && before == plain(width.saturating_add(HYSTERESIS)) => before,
        _ => plain(width),
    }
}

/// Lays out a screen. `wide` is the pane that holds the open artifact, `zoomed` the only pane to show, if any.
pub fn screen(size: (u16, u16), form: Form, focus: Pane, wide: Pane, zoomed: bool) -> Screen {
    let (width, height) = size;
    let row = |y: u16| Area::new(0, y, width, 1);
    let mut screen =
        Screen { form, header: None, strip: None, panes: Vec::new(), timeline: None, decision: None, footer: None };
    if form == Form::TooSmall {
        return screen;
    }
    screen.header = Some(row(0));
    screen.footer = Some(row(height - 1));
    screen.decision = Some(row(height - 2));
    let mut bottom = height - 2;
    if height >= 20 {
        bottom -= 1;
        screen.timeline = Some(row(bottom));
    }
    let mut top = 1;
    if !zoomed && matches!(form, Form::Tabs | Form::Split) {
        screen.strip = Some(row(top));
        top += 1;
    }
    let body = Area::new(0, top, width, bottom - top);
    if zoomed || matches!(form, Form::Tabs | Form::Single) {
        screen.panes.push((focus, body));
        return screen;
    }
    if form == Form::Split {
        let left = width * 58 / 100;
        let upper = body.height * 6 / 10;
        let right = width - left - 1;
        let shown = if focus == Pane::Constraint { Pane::Constraint } else { wide };
        screen.panes.push((shown, Area::new(0, top, left, body.height)));
        screen.panes.push((Pane::Critique, Area::new(left + 1, top, right, upper)));
        screen.panes.push((Pane::Gates, Area::new(left + 1, top + upper, right, body.height - upper)));
        return screen;
    }
    let share = |percent: u16| width * percent / 100;
    let widths = match wide {
        Pane::Constraint => [share(36), share(16), share(28)],
        _ => [share(18), share(36), share(27)],
    };
    let mut x = 0;
    for (index, pane) in Pane::ALL.into_iter().enumerate() {
        let columns = widths.get(index).copied().unwrap_or(width - x);
        let gap = u16::from(index + 1 < Pane::ALL.len());
        screen.panes.push((pane, Area::new(x, top, columns - gap, body.height)));
        x += columns;
    }
    screen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_never_overlap_or_leave_the_screen() {
        for width in 1..260_u16 {
            for height in [1, 9, 10, 12, 19, 20, 24, 50] {
                for (focus, wide, zoomed) in [
                    (Pane::Plan, Pane::Plan, false),
                    (Pane::Constraint, Pane::Constraint, false),
                    (Pane::Constraint, Pane::Plan, false),
                    (Pane::Gates, Pane::Plan, true),
                ] {
                    let form = form_for(width, height, None);
                    let screen = screen((width, height), form, focus, wide, zoomed);
                    let lines = [screen.header, screen.strip, screen.timeline, screen.decision, screen.footer];
                    let all: Vec<Area> =
                        lines.into_iter().flatten().chain(screen.panes.iter().map(|(_, area)| *area)).collect();
                    let mut taken = vec![false; usize::from(width) * usize::from(height)];
                    for area in all {
                        assert!(area.x + area.width <= width && area.y + area.height <= height);
                        for y in area.y..area.y + area.height {
                            for x in area.x..area.x + area.width {
                                let cell = &mut taken[usize::from(y) * usize::from(width) + usize::from(x)];
                                assert!(!*cell, "{width}x{height} {focus:?}: two things at {x},{y}");
                                *cell = true;
                            }
                        }
                    }
                    let visible = screen.form == Form::TooSmall || screen.pane(focus).is_some();
                    assert!(visible, "{width}x{height}: the focused pane is hidden");
                }
            }
        }
    }

    #[test]
    fn a_window_that_jitters_at_a_breakpoint_keeps_its_form() {
        assert_eq!(form_for(99, 30, Some(Form::Split)), Form::Split);
        assert_eq!(form_for(96, 30, Some(Form::Split)), Form::Tabs);
        assert_eq!(form_for(100, 30, Some(Form::Tabs)), Form::Split);
        assert_eq!(form_for(39, 30, Some(Form::Single)), Form::TooSmall);
    }
}
