//! The booking desk: book, cancel, move, and the rules against abuse.
