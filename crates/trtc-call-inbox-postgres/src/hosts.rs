//! The hosts of a URL, one by one: `tokio-postgres` limits how long the TCP of each may take, but not how
//! long one that was reached may keep quiet, and would wait for it although another one works.

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts};

/// A configuration for each host, in the order of the URL.
pub(crate) fn each(config: &Config) -> Vec<Config> {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let ports = config.get_ports();
    (0..hosts.len().max(addresses.len()))
        .map(|index| {
            let mut one = without_hosts(config);
            match hosts.get(index) {
                Some(Host::Tcp(host)) => {
                    one.host(host);
                }
                #[cfg(unix)]
                Some(Host::Unix(path)) => {
                    one.host_path(path);
                }
                None => {}
            }
            if let Some(address) = addresses.get(index) {
                one.hostaddr(*address);
            }
            if let Some(port) = ports.get(index).or_else(|| ports.first()) {
                one.port(*port);
            }
            one
        })
        .collect()
}

/// In the order in which they are tried now.
pub(crate) fn in_turn(hosts: &[Config]) -> Vec<&Config> {
    let mut hosts: Vec<&Config> = hosts.iter().collect();
    if hosts.first().is_some_and(|one| one.get_load_balance_hosts() == LoadBalanceHosts::Random) {
        fastrand::shuffle(&mut hosts);
    }
    hosts
}

fn without_hosts(config: &Config) -> Config {
    let mut one = Config::new();
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(database) = config.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        one.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs())
        .load_balance_hosts(config.get_load_balance_hosts());
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All but the hosts is the same: a parameter that was forgotten here would be without effect.
    #[test]
    fn each_host_has_all_parameters() {
        let parameters = "connect_timeout=3&tcp_user_timeout=4&keepalives=0&keepalives_idle=5\
            &keepalives_interval=6&keepalives_retries=7&application_name=a&options=-c%20b%3D1\
            &channel_binding=require&load_balance_hosts=random&target_session_attrs=read-write\
            &sslmode=require&sslnegotiation=direct";
        let parse = |hosts: &str| -> Config {
            format!("postgres://me:secret@{hosts}/d?{parameters}").parse().unwrap()
        };
        assert_eq!(each(&parse("a:1,b:2,%2Frun:3")), ["a:1", "b:2", "%2Frun:3"].map(parse));
        assert_eq!(each(&parse("a,b:2")), ["a:5432", "b:2"].map(parse));
    }
}
