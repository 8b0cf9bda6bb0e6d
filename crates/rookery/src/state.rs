//! `rookery state`: the state of a data directory as a whole. The directory must not be in use.
