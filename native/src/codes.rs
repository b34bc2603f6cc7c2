//! What is said of a document, as numbers.

/// No rule holds.
pub const NOTHING: u32 = 0;
/// The document must be decoded whole.
pub const PLAIN: u32 = 1;
/// There is no plan for the route of this document.
pub const UNKNOWN: u32 = 2;
/// Something was not known: ask again when it is.
pub const WAITING: u32 = 3;
// Answers, which whoever decides numbers, begin at 8.
