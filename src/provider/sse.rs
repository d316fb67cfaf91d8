//! Server-sent events, decoded from bytes that may be split anywhere.
//!
//! By the rules of <https://html.spec.whatwg.org/multipage/server-sent-events.html>, with one difference: an event that
//! lacks its closing blank line is delivered when the stream ends, because servers do end like that. Only `data` is
//! kept: every wire format that comes as events repeats the event's name inside its data.

/// The longest line, and the largest event, in bytes. A whole reply may come as one event, so it is as large as a reply.
const CAP: usize = 16 * 1024 * 1024;

/// A line or an event is longer than 16 MiB.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stream has a line or event longer than 16 MiB")]
pub(super) struct TooLong;

/// Bytes in, data of events out.
#[derive(Default)]
pub(super) struct Decoder {
    /// The line that hasn't ended yet.
    line: Vec<u8>,
    /// The data lines of the event that hasn't ended yet, joined by line feeds.
    data: Option<Vec<u8>>,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    /// The first line, which may begin with a byte order mark, has passed.
    begun: bool,
}

impl Decoder {
    /// Takes more bytes and appends the data of every event they complete.
    ///
    /// # Errors
    /// If a line or an event passes the cap; the decoder is of no use after that.
    pub(super) fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() > CAP {
                return Err(TooLong);
            }
            self.line.extend_from_slice(part);
            let Some((&ending, rest)) = rest.split_first() else { break };
            self.after_return = ending == b'\r';
            bytes = rest;
            self.end_line(events)?;
        }
        Ok(())
    }

    /// The data of the event that the stream's end cuts off or leaves open.
    ///
    /// # Errors
    /// If that event passes the cap.
    pub(super) fn finish(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        if !self.line.is_empty() {
            self.end_line(&mut Vec::new())?;
        }
        Ok(self.data.take())
    }

    fn end_line(&mut self, events: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        let line = std::mem::take(&mut self.line);
        let mark: &[u8] = if std::mem::replace(&mut self.begun, true) { b"" } else { b"\xef\xbb\xbf" };
        let line = line.strip_prefix(mark).unwrap_or(&line);
        if line.is_empty() {
            events.extend(self.data.take());
            return Ok(());
        }
        let Some(value) = line.strip_prefix(b"data").filter(|rest| matches!(rest.first(), None | Some(b':'))) else {
            return Ok(());
        };
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &mut self.data {
            Some(data) if data.len() + value.len() >= CAP => return Err(TooLong),
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            None => self.data = Some(value.to_vec()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

    use super::{CAP, Decoder, TooLong};

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for piece in pieces {
            decoder.push(piece, &mut events).unwrap();
        }
        events.extend(decoder.finish().unwrap());
        events.iter().map(|data| String::from_utf8_lossy(data).into_owned()).collect()
    }

    #[test]
    fn every_form_of_event_is_read_wherever_it_is_split() {
        for (stream, expected) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("data: a\r\n\ndata: b\n\r\n", &["a", "b"]),
            ("data: a\n\r\rdata: b", &["a", "b"]),
            ("data:a\n\ndata:  two spaces\n\n", &["a", " two spaces"]),
            ("data: first\ndata: second\ndata\ndata:\n\n", &["first\nsecond\n\n"]),
            ("\u{feff}data: marked\n\n\u{feff}data: not data\n\n", &["marked"]),
            (": comment\n\n:\nevent: x\nid: 1\nretry: 2\ndata: a\n: inside\n\n\n\n", &["a"]),
            ("database: no\ndata_: no\nDATA: no\n data: no\n\n", &[]),
            ("data: left open\n", &["left open"]),
            ("data: cut", &["cut"]),
            ("data: é 한 🦀\n\n", &["é 한 🦀"]),
            ("event: ping\n\n", &[]),
            ("data\n\n", &[""]),
            ("", &[]),
        ] {
            let bytes = stream.as_bytes();
            assert_eq!(decode([bytes]), expected, "{stream:?}");
            assert_eq!(decode(bytes.chunks(1)), expected, "{stream:?} byte by byte");
            for at in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(decode([head, b"", tail]), expected, "{stream:?} split at {at}");
            }
        }
    }

    #[test]
    fn recordings_decode_alike_wherever_they_are_split() {
        for stream in [
            &include_bytes!("../../tests/fixtures/wire/openai-chat.sse")[..],
            include_bytes!("../../tests/fixtures/wire/openai-chat-json-schema.sse"),
        ] {
            let whole = decode([stream]);
            assert_eq!(whole.last().map(String::as_str), Some("[DONE]"));
            for at in 0..stream.len() {
                let (head, tail) = stream.split_at(at);
                assert_eq!(decode([head, tail]), whole, "split at {at}");
            }
        }
    }

    #[test]
    fn a_line_may_hold_a_whole_reply_and_no_more() {
        let mut events = Vec::new();
        let large = vec![b'x'; 10 * 1024 * 1024];
        let mut decoder = Decoder::default();
        for piece in [&b"data: "[..], &large, b"\n\n"] {
            decoder.push(piece, &mut events).unwrap();
        }
        assert_eq!(events, [large]);

        let mut endless = Decoder::default();
        let piece = vec![b'x'; CAP / 2];
        let ends: Vec<_> = (0..3).map(|_| endless.push(&piece, &mut events)).collect();
        assert_eq!(ends, [Ok(()), Ok(()), Err(TooLong)]);

        let mut many = Decoder::default();
        let line = [b"data: ", &piece[..], b"\n"].concat();
        let ends: Vec<_> = (0..3).map(|_| many.push(&line, &mut events)).collect();
        assert_eq!(ends, [Ok(()), Err(TooLong), Err(TooLong)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_bytes_decode_alike_however_they_are_split(
            stream in prop::collection::vec(prop::sample::select(b"data: \n\r\n\rx:\xef\xbb\xbf".to_vec()), 0..80),
            size in 1..9_usize,
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let stream = [stream, noise].concat();
            prop_assert_eq!(decode(stream.chunks(size)), decode([stream.as_slice()]));
        }
    }
}
