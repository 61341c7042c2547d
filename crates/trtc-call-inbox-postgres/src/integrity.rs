//! What can be wrong with what is stored: whatever nobody could do through this crate.
//!
//! Pages and the insides of indexes are PostgreSQL's: its checksums and `pg_amcheck` look at those.

use tokio_postgres::types::Type;
use trtc_call_inbox::{Confirmation, DoneAs, SignatureFound, Source, State};

use crate::connect::Connection;
use crate::error::Failure;
use crate::schema::TABLES;

/// Everything is read here, for as long as it takes.
const READ_ALL: &str = "SET LOCAL enable_seqscan = on; SET LOCAL statement_timeout = 0";

const ITEMS: &str = r"
    SELECT f.what, count(*), min(i.id)
    FROM trtc_call.items AS i LEFT JOIN trtc_call.keys AS k ON k.digest = i.digest
    CROSS JOIN LATERAL (VALUES
        (k.digest IS NULL, 'items whose key is missing: nobody works or lists them'),
        (i.is_rival = (i.id = k.first_item), 'items that their key does not know'),
        (sha256(i.body) <> i.sha256, 'bodies that are not those that came'),
        (i.state <> 'done' AND i.body IS NULL, 'items that are not done and have no body'),
        (i.state = 'confirming' AND (NOT i.has_record OR i.confirmation IS NOT NULL),
         'items that wait for a record that nobody asks for'),
        (i.state = 'leased' AND num_nulls(i.owner, i.token, i.leased_until, i.lease_term) > 0,
         'items that are leased to nobody: no worker takes them back'),
        (i.state = 'done' AND num_nulls(i.done_as, i.done_at) > 0,
         'items that are done, and not how or when: nothing prunes them')
    ) AS f (is_wrong, what)
    WHERE f.is_wrong GROUP BY f.what ORDER BY f.what";

/// A key's number is that of its first item. Where a key is stored in another form, with a backslash, it is
/// not looked at.
const KEYS: &str = "
    SELECT f.what, count(*), min(k.first_item)
    FROM trtc_call.keys AS k
    LEFT JOIN (SELECT digest, count(*) AS items FROM trtc_call.items GROUP BY digest) AS i
        ON i.digest = k.digest
    CROSS JOIN LATERAL (VALUES
        (k.items <> coalesce(i.items, 0), 'keys that count more or fewer items than they have'),
        (position(chr(92) IN k.key) = 0 AND sha256(convert_to(k.key, 'UTF8')) <> k.digest,
         'keys with a wrong digest: what comes again is taken for new')
    ) AS f (is_wrong, what)
    WHERE f.is_wrong GROUP BY f.what ORDER BY f.what";

const WORDS: &str = "
    SELECT state, source, signature, done_as, confirmation, count(*), min(id) FROM trtc_call.items
    GROUP BY state, source, signature, done_as, confirmation ORDER BY min(id)";

/// Whoever counts on from here takes a number that is taken.
const NUMBERS: &str = "
    SELECT max(id) FROM trtc_call.items
    WHERE id >= (SELECT last_value + is_called::integer FROM trtc_call.item_numbers)";

const CLOCK: &str = "SELECT test_time IS NOT NULL FROM trtc_call.schema";

const INDEXES: &str = "
    SELECT name FROM unnest($1) AS name
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_index
        WHERE indexrelid = to_regclass('trtc_call.' || name) AND indisvalid AND indisready
    )";

/// The indexes that `schema.sql` makes without a name.
const PRIMARY_KEYS: [&str; 3] = ["apps_pkey", "items_pkey", "keys_pkey"];

/// A sentence for each thing that is found, in a transaction that has begun.
pub(crate) async fn find(connection: &Connection) -> Result<Vec<String>, Failure> {
    connection.run(READ_ALL).await?;
    let mut found = Vec::new();
    for query in [ITEMS, KEYS] {
        for row in connection.rows(query, &[]).await? {
            let (what, count, first): (&str, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            found.push(format!("{what}: {count}, the first is {first}"));
        }
    }
    for row in connection.rows(WORDS, &[]).await? {
        let is_known: [fn(&str) -> bool; 5] = [
            |word| State::from_word(word).is_some(),
            |word| Source::from_word(word).is_some(),
            |word| SignatureFound::from_word(word).is_some(),
            |word| DoneAs::from_word(word).is_some(),
            |word| Confirmation::from_word(word).is_some(),
        ];
        let (count, first): (i64, i64) = (row.try_get(5)?, row.try_get(6)?);
        for (column, is_known) in is_known.iter().enumerate() {
            let word: Option<&str> = row.try_get(column)?;
            if let Some(word) = word.filter(|word| !is_known(word)) {
                found.push(format!(
                    "items with the word {word:?}, which this version does not know: {count}, \
                     the first is {first}"
                ));
            }
        }
    }
    if let Some(last) = connection.row(NUMBERS, &[]).await?.try_get::<_, Option<i64>>(0)? {
        found.push(format!(
            "the sequence trtc_call.item_numbers is behind item {last}: what is new cannot be stored"
        ));
    }
    if connection.row(CLOCK, &[]).await?.try_get(0)? {
        found.push("the clock stands still: test_time is set in trtc_call.schema".to_owned());
    }
    let names = TABLES.lines().filter_map(|line| line.strip_prefix("CREATE INDEX "));
    let names = names.filter_map(|rest| rest.split(' ').next()).chain(PRIMARY_KEYS);
    let names: Vec<&str> = names.collect();
    for row in connection.rows(INDEXES, &[(&names, Type::TEXT_ARRAY)]).await? {
        let name: &str = row.try_get(0)?;
        found.push(format!("the index trtc_call.{name} is missing, or not valid"));
    }
    Ok(found)
}
