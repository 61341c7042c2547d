//! Lower-case hex digits of a digest.

/// Two digits for each byte.
pub(crate) fn lower(digest: &[u8; 32]) -> String {
    let mut digits = [0; 64];
    base16ct::lower::encode_str(digest, &mut digits).map(str::to_owned).unwrap_or_default()
}
