//! Connections: opened with pauses that grow while that fails, and looked at before they are used.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;
use trtc_call_inbox::store::StoreErrorKind;

use crate::clock::Clock;
use crate::error::Failure;
use crate::url::Target;
use crate::{hosts, log};

/// How long opening a connection may take: the TCP of each address, all of a host if there are others, and
/// all of the only one.
const TCP_PATIENCE: Duration = Duration::from_secs(2);
const HOST_PATIENCE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a network may keep quiet until a connection is given up.
const QUIET: Duration = Duration::from_secs(5);

const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(1);

/// How long an answer may take until it is looked whether another server has taken over meanwhile. From one
/// that stands still none may ever come, and nothing fails as long as its network works.
const SILENCE: Duration = Duration::from_secs(5);

/// The pause after an opening that failed; it doubles up to the longest one.
const PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// How long keepalives wait, if nothing else is said: what tokio-postgres has.
const KEEPALIVES_UNSET: Duration = Duration::from_secs(2 * 60 * 60);

const SELECT_SETTINGS: &str = "
    SELECT current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',
           current_setting('server_encoding') = 'UTF8',
           current_setting('default_transaction_isolation') = 'read committed',
           current_setting('transaction_read_only') = 'off',
           NOT EXISTS (
               SELECT FROM pg_catalog.pg_class AS c
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'trtc_call' AND c.relname IN ('keys', 'items', 'apps')
                 AND c.relpersistence <> 'p'
           ),
           pg_postmaster_start_time()";

/// What of the server warns that numbers of transactions run out some day: until then all is well.
const OF_NUMBERS: [&str; 2] = ["GetNewTransactionId", "GetNewMultiXactId"];

/// A statement's argument.
pub(crate) type Argument<'a> = (&'a (dyn ToSql + Sync), Type);

/// What opens connections to one server.
pub(crate) struct Connector {
    place: String,
    hosts: Vec<Config>,
    tls: MakeRustlsConnect,
    takes_insecure_settings: bool,
    trouble: Mutex<Trouble>,
    /// The server that was connected to last.
    newest: Mutex<Option<Start>>,
    /// Has a permit while nobody looks which server that is now.
    looking: Arc<Semaphore>,
}

/// When a server was started: what tells it from another one of the same name.
type Start = SystemTime;

/// Why there is no connection, and until when nobody tries again.
struct Trouble {
    last: Option<(Failure, Instant)>,
    pause: Duration,
}

impl Connector {
    pub(crate) fn new(mut target: Target, takes_insecure_settings: bool) -> Result<Self, Failure> {
        let tls = crate::tls::connector(target.verify, target.roots.as_deref())?;
        let config = &mut target.config;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(TCP_PATIENCE);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(QUIET);
        }
        if config.get_keepalives_idle() == KEEPALIVES_UNSET {
            config
                .keepalives_idle(QUIET)
                .keepalives_interval(KEEPALIVES_INTERVAL)
                .keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("trtc-call-inbox");
        }
        // Of several servers only one can be written to.
        let any = TargetSessionAttrs::Any;
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let trouble = Mutex::new(Trouble { last: None, pause: PAUSE });
        let (place, hosts) = (target.place, hosts::each(&target.config));
        let (newest, looking) = (Mutex::default(), Arc::new(Semaphore::new(1)));
        Ok(Self { place, hosts, tls, takes_insecure_settings, trouble, newest, looking })
    }

    /// The server's name for people.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Opens a connection, unless that has just failed.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Connection, Failure> {
        if let Some((failure, until)) = &self.trouble().last
            && Instant::now() < *until
        {
            return Err(failure.clone());
        }
        let opened = self.open_any().await;
        let mut trouble = self.trouble();
        match &opened {
            Ok(_) => *trouble = Trouble { last: None, pause: PAUSE },
            Err(failure) => {
                log::not_connected(self.place(), failure.text());
                let until = Instant::now().checked_add(trouble.pause);
                trouble.last = until.map(|until| (failure.clone(), until));
                trouble.pause = trouble.pause.saturating_mul(2).min(MAX_PAUSE);
            }
        }
        opened
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens one to the first host that takes it.
    async fn open_any(self: &Arc<Self>) -> Result<Connection, Failure> {
        let patience = if self.hosts.len() > 1 { HOST_PATIENCE } else { PATIENCE };
        let mut opened = Err(Failure::new(StoreErrorKind::Other, "the URL names no host"));
        for host in hosts::in_turn(&self.hosts) {
            let silent = |_| {
                let text = "it did not answer in time";
                Err(Failure::new(StoreErrorKind::Unavailable, text))
            };
            opened = timeout(patience, self.open(host)).await.unwrap_or_else(silent);
            if opened.is_ok() {
                break;
            }
        }
        opened
    }

    async fn open(self: &Arc<Self>, host: &Config) -> Result<Connection, Failure> {
        let (client, connection) = host.connect(self.tls.clone()).await?;
        let warning = Warning::default();
        tokio::spawn(drive(connection, warning.clone(), self.place.clone()));
        let start = self.check_settings(&client).await?;
        *self.newest() = Some(start);
        Ok(Connection { client, warning, start, connector: Arc::clone(self) })
    }

    /// Connects once more, in a task of its own, to see to which server.
    fn look_again(self: &Arc<Self>) {
        if let Ok(permit) = Arc::clone(&self.looking).try_acquire_owned() {
            let connector = Arc::clone(self);
            tokio::spawn(async move {
                let _ = connector.connect().await;
                drop(permit);
            });
        }
    }

    fn newest(&self) -> MutexGuard<'_, Option<Start>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the server keeps what it says that it keeps, and when it was started.
    pub(crate) async fn check_settings(&self, client: &Client) -> Result<Start, Failure> {
        // Nothing is committed by this. What the server says about itself to a new connection may come late.
        let settings = client.query_typed(SELECT_SETTINGS, &[]).await?;
        let settings = settings.first().ok_or_else(nothing_given)?;
        let is = |index| settings.try_get::<_, bool>(index).map_err(Failure::from);
        let wrong = |text: &str| Err(Failure::new(StoreErrorKind::Other, text));
        if !is(2)? {
            return wrong("the database's encoding must be UTF8");
        }
        if !is(3)? {
            return wrong(
                "this role's default_transaction_isolation must be 'read committed': ALTER ROLE does that",
            );
        }
        if !is(4)? {
            let text =
                "it cannot be written to: it is a standby, or its transactions are read-only";
            return Err(Failure::new(StoreErrorKind::ReadOnly, text));
        }
        let start = settings.try_get(6)?;
        if self.takes_insecure_settings {
            return Ok(start);
        }
        for (index, text) in [
            (0, "fsync is off: what is acknowledged would be lost in a crash"),
            (1, "full_page_writes is off: what is acknowledged could be lost in a crash"),
            (5, "its tables are not logged: what is acknowledged would be lost in a crash"),
        ] {
            if !is(index)? {
                return wrong(text);
            }
        }
        Ok(start)
    }
}

/// One connection.
pub(crate) struct Connection {
    pub(crate) client: Client,
    warning: Warning,
    start: Start,
    connector: Arc<Connector>,
}

/// The last warning that came, if one did.
#[derive(Clone, Default)]
struct Warning(Arc<Mutex<Option<String>>>);

impl Warning {
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn look_at(&self, notice: &DbError) {
        let is_warning = notice.parsed_severity() == Some(Severity::Warning)
            || notice.code().code().starts_with("01");
        if is_warning && !notice.routine().is_some_and(|routine| OF_NUMBERS.contains(&routine)) {
            let warning = notice.message().to_owned();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(warning);
        }
    }
}

impl Connection {
    /// Whether it can be used further.
    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Runs a statement that gives one row. Outside of a transaction it is one, and committed after this.
    pub(crate) async fn row(
        &self,
        statement: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Row, Failure> {
        let rows = self.rows(statement, arguments).await?;
        rows.into_iter().next().ok_or_else(nothing_given)
    }

    /// The same of a statement that also says, in a column `at`, what time it is there.
    pub(crate) async fn row_at(
        &self,
        clock: &Clock,
        statement: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Row, Failure> {
        let before = clock.latest();
        let row = self.row(statement, arguments).await?;
        clock.saw(before, row.try_get("at")?);
        Ok(row)
    }

    /// Runs a statement. It has no name in the server, so that a pooler may be in between.
    pub(crate) async fn rows(
        &self,
        statement: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Row>, Failure> {
        self.warning.take();
        let arguments: Vec<Argument<'_>> =
            arguments.iter().map(|(value, of)| (*value, of.clone())).collect();
        let rows = self.answered(self.client.query_typed(statement, &arguments)).await?;
        self.without_warning()?;
        Ok(rows)
    }

    /// Runs statements without arguments: those that begin and end transactions.
    pub(crate) async fn run(&self, statements: &str) -> Result<(), Failure> {
        self.warning.take();
        self.answered(self.client.batch_execute(statements)).await?;
        self.without_warning()
    }

    /// What the server answers, however long that takes, unless another one has taken over meanwhile.
    async fn answered<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let mut answer = pin!(answer);
        loop {
            if let Ok(answer) = timeout(SILENCE, &mut answer).await {
                return Ok(answer?);
            }
            if *self.connector.newest() != Some(self.start) {
                let text = "it keeps silent, and another server has taken over";
                return Err(Failure::new(StoreErrorKind::Unavailable, text));
            }
            self.connector.look_again();
        }
    }

    /// Does something in a transaction, which ends by this statement, or by `ROLLBACK` where it failed.
    pub(crate) async fn transaction<T>(
        &self,
        [begin, end]: [&str; 2],
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.run(begin).await?;
        let outcome = work.await;
        match &outcome {
            Ok(_) => self.run(end).await?,
            Err(failure) if failure.spares_connection() => self.run("ROLLBACK").await?,
            // The connection is of no use any more.
            Err(_) => {}
        }
        outcome
    }

    /// A wait for a standby that was cancelled ends a commit with success, and a warning. It comes before
    /// the word that all is done.
    fn without_warning(&self) -> Result<(), Failure> {
        match self.warning.take() {
            None => Ok(()),
            Some(warning) => {
                let text = format!("a warning came with a commit: {warning}");
                Err(Failure::new(StoreErrorKind::Unavailable, text))
            }
        }
    }
}

/// A transaction that locks keys over several statements. If this process stands still, nobody has to wait
/// for it for long.
pub(crate) const WRITE: [&str; 2] =
    ["BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'", "COMMIT"];

fn nothing_given() -> Failure {
    Failure::new(StoreErrorKind::Other, "a statement has given nothing").sparing_connection()
}

/// Carries what is sent and what comes, until the connection is closed.
async fn drive<S, T>(
    mut connection: tokio_postgres::Connection<S, T>,
    warning: Warning,
    place: String,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => warning.look_at(&notice),
            Ok(_) => {}
            Err(error) => {
                log::lost(&place, Failure::from(error).text());
                return;
            }
        }
    }
}
