//! Making the schema, and knowing it.

use tokio_postgres::types::Type;
use trtc_call_inbox::store::StoreErrorKind;

use crate::connect::{Argument, Connection};
use crate::error::Failure;

/// The version of `schema.sql`.
pub(crate) const VERSION: i32 = 1;

/// The oldest version that can work with it.
const OLDEST: i32 = 1;

pub(crate) const TABLES: &str = include_str!("schema.sql");

/// Whether there is a schema, something in it, and an inbox. A function like `to_regclass` may still know
/// what was there before the lock.
const SELECT_SCHEMA: &str = "
    SELECT count(n.oid) > 0, count(c.oid) > 0, count(c.oid) FILTER (WHERE c.relname = 'schema') > 0
    FROM pg_catalog.pg_namespace AS n
    LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
    WHERE n.nspname = 'trtc_call'";

/// Who makes or changes the schema is alone with it until his commit: the number is of our choice.
const LOCK: &str = "
    SET LOCAL lock_timeout = '5s';
    SET LOCAL statement_timeout = 0;
    SELECT pg_catalog.pg_advisory_xact_lock(7471103421)";

const CREATE_SCHEMA: &str = "CREATE SCHEMA trtc_call";

const INSERT_VERSION: &str = "INSERT INTO trtc_call.schema (version, oldest) VALUES ($1, $2)";

pub(crate) const BEGIN_WORK: &str = "SELECT trtc_call.begin_work($1)";

/// Sees to it that the schema is there and can be worked with, and makes it if it may.
pub(crate) async fn prepare(connection: &Connection, may_create: bool) -> Result<(), Failure> {
    match find(connection).await? {
        Found::Inbox => return check(connection).await,
        Found::Nothing | Found::Schema if !may_create => {
            return Err(Failure::new(StoreErrorKind::NotFound, "there is no inbox in it"));
        }
        Found::Nothing | Found::Schema => {}
    }
    // If this fails, the connection is closed, and with it the transaction.
    connection.run("BEGIN").await?;
    connection.run(LOCK).await?;
    // Another server may have made it meanwhile.
    match find(connection).await? {
        Found::Inbox => {}
        Found::Schema => create(connection).await?,
        Found::Nothing => {
            connection.run(CREATE_SCHEMA).await?;
            create(connection).await?;
        }
    }
    connection.run("COMMIT").await?;
    check(connection).await
}

/// What a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Inbox,
    /// Its schema with nothing in it: somebody has made it for this role.
    Schema,
    Nothing,
}

async fn find(connection: &Connection) -> Result<Found, Failure> {
    let found = connection.row(SELECT_SCHEMA, &[]).await?;
    match (found.try_get(0)?, found.try_get(1)?, found.try_get(2)?) {
        (_, _, true) => Ok(Found::Inbox),
        (_, true, false) => {
            let text = "its schema trtc_call holds something else than an inbox";
            Err(Failure::new(StoreErrorKind::NotAnInbox, text))
        }
        (true, ..) => Ok(Found::Schema),
        (false, ..) => Ok(Found::Nothing),
    }
}

async fn create(connection: &Connection) -> Result<(), Failure> {
    connection.run(TABLES).await?;
    let versions: [Argument<'_>; 2] = [(&VERSION, Type::INT4), (&OLDEST, Type::INT4)];
    connection.rows(INSERT_VERSION, &versions).await?;
    Ok(())
}

/// Whether this version can work with it: asked in each transaction, since a later version may have
/// changed it meanwhile.
pub(crate) async fn check(connection: &Connection) -> Result<(), Failure> {
    connection.rows(BEGIN_WORK, &[(&VERSION, Type::INT4)]).await?;
    Ok(())
}
