//! The pieces of a stage's context, and which of them go along by default under a token budget.

use crate::domain::ContextItem;

/// A context item with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is and whether it will be sent.
    pub item: ContextItem,
    /// Its exact text.
    pub content: String,
}

/// Marks the pieces that go along by default: the most important kinds first (in the order of
/// [`ItemKind`](crate::domain::ItemKind)), pieces of one kind in the order given, until `budget_tokens` estimated tokens
/// are used up. A piece goes whole or not at all; a smaller one may still fit after a larger one did not.
pub fn fit(pieces: &mut [Piece], budget_tokens: u64) {
    let mut by_importance: Vec<&mut ContextItem> = pieces.iter_mut().map(|piece| &mut piece.item).collect();
    by_importance.sort_by_key(|item| item.kind);
    let mut left = budget_tokens;
    for item in by_importance {
        item.included = item.tokens <= left;
        if item.included {
            left -= item.tokens;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, ItemKind};

    #[test]
    fn the_important_goes_first_and_nothing_is_cut() {
        let piece = |kind, name: &str, tokens| Piece {
            item: ContextItem {
                kind,
                name: name.into(),
                digest: Digest::of(b""),
                bytes: tokens * 4,
                tokens,
                included: false,
            },
            content: String::new(),
        };
        let mut pieces = [
            piece(ItemKind::File, "big.rs", 70),
            piece(ItemKind::File, "small.rs", 10),
            piece(ItemKind::Map, "map", 30),
            piece(ItemKind::Goal, "goal", 20),
        ];
        let names = |pieces: &[Piece]| -> Vec<String> {
            pieces.iter().filter(|p| p.item.included).map(|p| p.item.name.clone()).collect()
        };
        fit(&mut pieces, 60);
        assert_eq!(names(&pieces), ["small.rs", "map", "goal"]);
        fit(&mut pieces, 130);
        assert_eq!(names(&pieces).len(), 4);
        fit(&mut pieces, 0);
        assert_eq!(names(&pieces).len(), 0);
    }
}
