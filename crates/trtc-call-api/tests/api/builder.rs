//! What a client is not built with.

use std::time::Duration;

use trtc_call_api::{BuildError, Client, Region, SecretKey};

use crate::support::{KEY, builder};

#[test]
fn what_could_never_work_is_refused_by_name() {
    let key = || SecretKey::new(KEY).unwrap();
    let of = |builder: trtc_call_api::ClientBuilder| builder.build().unwrap_err();
    assert_eq!(of(Client::builder(0, key())), BuildError::SdkAppId);
    for admin in ["", "令牌", "a\nb", &"a".repeat(33)] {
        assert_eq!(of(builder().admin(admin)), BuildError::Admin, "{admin}");
    }
    for url in [
        "",
        "console.tim.qq.com",
        "ftp://h",
        "http://",
        "https://user@h",
        "https://:secret@h",
        "https://h?a=b",
        "https://h#a",
        "mailto:a@b",
    ] {
        assert_eq!(of(builder().base_url(url)), BuildError::BaseUrl, "{url}");
    }
    assert_eq!(of(builder().rate_limit(0)), BuildError::RateLimit);
    assert_eq!(of(builder().timeout(Duration::ZERO)), BuildError::Timeout);
    assert!(BuildError::RateLimit.to_string().starts_with("rate_limit: "));
}

#[test]
fn a_region_is_its_host_by_tls() {
    let china = Client::builder(1_u64, SecretKey::new(KEY).unwrap()).build().unwrap();
    assert_eq!(china.base_url(), "https://console.tim.qq.com/");
    for region in Region::ALL {
        let client = builder().region(*region).build().unwrap();
        assert_eq!(client.base_url(), format!("https://{}/", region.host()));
    }
}
