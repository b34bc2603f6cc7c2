//! A plain reader of JSON for tests, obviously right: what ``json`` and ``wanted`` say is held against it.
//!
//! It refuses what ``json`` refuses by design: halves of surrogate pairs, too deep nesting, numbers that may be
//! beyond all bounds.

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    /// As it is written, quotes included.
    Text(Vec<u8>),
    /// As it is written.
    Integer(Vec<u8>),
    Other,
    Object(Vec<(Vec<u8>, Json)>),
}

/// Read one value with nothing behind it.
pub fn read(bytes: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader {
        rest: text.as_bytes(),
    };
    reader.space();
    let found = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(found)
}

impl Json {
    /// Return the last member with a key, of an object.
    pub fn get(&self, key: &[u8]) -> Option<&Json> {
        match self {
            Json::Object(members) => members
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn space(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        (first == byte).then_some(())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        match *self.rest.first()? {
            b'"' => {
                let before = self.rest;
                self.text()?;
                Some(Json::Text(
                    before[..before.len() - self.rest.len()].to_vec(),
                ))
            }
            b'{' => self.object(depth + 1),
            b'[' => self.list(depth + 1),
            b'n' => self.word(b"null").map(|()| Json::Null),
            b't' => self.word(b"true").map(|()| Json::Other),
            b'f' => self.word(b"false").map(|()| Json::Other),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members = Vec::new();
        self.sequence(b'{', b'}', depth, |reader| {
            let key = reader.text()?;
            reader.space();
            reader.take(b':')?;
            reader.space();
            members.push((key, reader.value(depth)?));
            Some(())
        })?;
        Some(Json::Object(members))
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.sequence(b'[', b']', depth, |reader| reader.value(depth).map(|_| ()))?;
        Some(Json::Other)
    }

    fn sequence(
        &mut self,
        first: u8,
        last: u8,
        depth: usize,
        mut one: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        if depth > 64 {
            return None;
        }
        self.take(first)?;
        self.space();
        if self.rest.first() == Some(&last) {
            return self.take(last);
        }
        loop {
            self.space();
            one(self)?;
            self.space();
            if self.rest.first() == Some(&last) {
                return self.take(last);
            }
            self.take(b',')?;
        }
    }

    /// Return what a string stands for, in UTF-8.
    fn text(&mut self) -> Option<Vec<u8>> {
        self.take(b'"')?;
        let mut found = Vec::new();
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return Some(found),
                b'\\' => {
                    let one = self.escaped()?;
                    found.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1f => return None,
                _ => found.push(byte),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let digits = self.rest.get(..4)?;
                self.rest = &self.rest[4..];
                let mut number = 0;
                for &digit in digits {
                    number = number * 16 + char::from(digit).to_digit(16)?;
                }
                char::from_u32(number)?
            }
            _ => return None,
        })
    }

    fn number(&mut self) -> Option<Json> {
        let before = self.rest;
        if self.rest.first() == Some(&b'-') {
            self.take(b'-')?;
        }
        let whole = self.digits()?;
        if whole.len() > 1 && whole[0] == b'0' || whole.len() > 200 {
            return None;
        }
        let mut plain = whole.len() <= 18;
        if self.rest.first() == Some(&b'.') {
            self.take(b'.')?;
            self.digits()?;
            plain = false;
        }
        if let Some(b'e' | b'E') = self.rest.first() {
            self.rest = &self.rest[1..];
            let small = self.rest.first() == Some(&b'-');
            if let Some(b'+' | b'-') = self.rest.first() {
                self.rest = &self.rest[1..];
            }
            if self.digits()?.len() > 2 && !small {
                return None;
            }
            plain = false;
        }
        let written = before[..before.len() - self.rest.len()].to_vec();
        Some(if plain {
            Json::Integer(written)
        } else {
            Json::Other
        })
    }

    fn digits(&mut self) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        while let [digit @ b'0'..=b'9', rest @ ..] = self.rest {
            found.push(*digit);
            self.rest = rest;
        }
        (!found.is_empty()).then_some(found)
    }
}
