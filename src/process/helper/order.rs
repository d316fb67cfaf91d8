//! What a helper is told at its start, as arguments: paths need not be text.

use std::ffi::{OsStr, OsString};

use super::super::sandbox::Sandbox;

/// Which helper it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Place {
    /// The only one.
    Outside,
    /// The outer one of two: it enters namespaces and starts the inner one.
    Apart,
    /// The first process in the namespaces.
    Inside,
}

/// What a helper keeps the commands to that it will attend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::process) struct Order {
    /// Which helper is asked.
    pub(in crate::process) place: Place,
    /// The process that asks; without it there is nothing to do.
    pub(in crate::process) parent: u32,
    /// User and group as they are outside.
    pub(in crate::process) identity: (u32, u32),
    /// What they are kept to, if to anything.
    pub(in crate::process) sandbox: Option<Sandbox>,
}

impl Order {
    /// The arguments that [`from_arguments`](Self::from_arguments) reads, after `word`.
    pub(super) fn to_arguments(&self, word: &str) -> Vec<OsString> {
        let place = match self.place {
            Place::Outside => "outside",
            Place::Apart => "apart",
            Place::Inside => "inside",
        };
        let (user, group) = self.identity;
        let numbers = [self.parent, user, group].map(|number| OsString::from(number.to_string()));
        let mut arguments: Vec<OsString> = vec![word.into(), place.into()];
        arguments.extend(numbers);
        if let Some(sandbox) = &self.sandbox {
            arguments.push(if sandbox.network { "network" } else { "sandbox" }.into());
            for path in &sandbox.writable {
                arguments.extend(["write".into(), path.clone().into()]);
            }
        }
        arguments.push("--".into());
        arguments
    }

    /// The order that these arguments make, if they make one.
    pub(super) fn from_arguments(arguments: Vec<OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let place = match arguments.next()?.to_str()? {
            "outside" => Place::Outside,
            "apart" => Place::Apart,
            "inside" => Place::Inside,
            _ => return None,
        };
        let mut number = || arguments.next()?.to_str()?.parse().ok();
        let (parent, identity) = (number()?, (number()?, number()?));
        let mut sandbox: Option<Sandbox> = None;
        loop {
            match (arguments.next()?.as_os_str(), &mut sandbox) {
                (end, _) if end == OsStr::new("--") => break,
                (word, None) if word == OsStr::new("sandbox") || word == OsStr::new("network") => {
                    let network = word == OsStr::new("network");
                    sandbox = Some(Sandbox { writable: Vec::new(), network, apart: place != Place::Outside });
                }
                (word, Some(sandbox)) if word == OsStr::new("write") => {
                    sandbox.writable.push(arguments.next()?.into());
                }
                _ => return None,
            }
        }
        arguments.next().is_none().then_some(Self { place, parent, identity, sandbox })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use super::{Order, Place, Sandbox};

    #[test]
    fn an_order_arrives_as_it_was_given() {
        let odd = OsString::from_vec(b"/odd \xff--/".to_vec());
        for place in [Place::Outside, Place::Apart, Place::Inside] {
            for sandbox in
                [None, Some((Vec::new(), true)), Some((vec![odd.clone().into(), "--".into(), "write".into()], false))]
            {
                let apart = place != Place::Outside;
                let sandbox = sandbox.map(|(writable, network)| Sandbox { writable, network, apart });
                let order = Order { place, parent: 7, identity: (1, 2), sandbox };
                let arguments = order.to_arguments("word").split_off(1);
                assert_eq!(Order::from_arguments(arguments.clone()), Some(order));
                for end in 0..arguments.len() {
                    assert_eq!(Order::from_arguments(arguments[..end].to_vec()), None, "{end}");
                }
            }
        }
    }
}
