//! The examples below each `--help`.

pub(super) const ALL: &str = "\
Examples:
  trtc-call demo                        see all of it at work
  trtc-call listen --sdk-app-id N       receive callbacks here
  trtc-call send --url URL --sdk-app-id N
                                        send an endpoint what Tencent would send
  trtc-call explain request.txt         find out why a callback was refused
  trtc-call inbox status --inbox PATH   see whether anything waits for a person
  trtc-call callback get --region R     see where the vendor sends callbacks
  trtc-call doctor --region R           find out why no callbacks arrive
  trtc-call vendor                      play the vendor on this machine

`trtc-call help COMMAND` has more about each.";

pub(super) const DEMO: &str = "\
Examples:
  trtc-call demo
  trtc-call demo --json | jq '.rows[] | select(.as_expected | not)'";

pub(super) const SEND: &str = "\
Examples:
  export CALLBACK_TOKEN=xxxxyyyy SDK_APP_ID=1400000001
  trtc-call send --url http://127.0.0.1:8080/callback
  trtc-call send --url http://127.0.0.1:8080/callback --all-results
  trtc-call send --url http://127.0.0.1:8080/callback --wrong-signature
  trtc-call send --url http://127.0.0.1:8080/callback --body event.json
  trtc-call send --url http://127.0.0.1:8080/callback --call-id a-1 --start-time 1741231146
  trtc-call send --url http://127.0.0.1:8080/callback --count 2000 --concurrency 8 --json";

pub(super) const LISTEN: &str = "\
Examples:
  trtc-call listen
  CALLBACK_TOKEN=xxxxyyyy trtc-call listen --addr 127.0.0.1:9000 --sdk-app-id 1400000001
  trtc-call listen --inbox callbacks.db
  trtc-call listen --json | jq 'select(.result == \"NormalEnd\") | .talk_seconds'";

pub(super) const EXPLAIN: &str = "\
Examples:
  export CALLBACK_TOKEN=xxxxyyyy SDK_APP_ID=1400000001
  trtc-call explain request.txt
  grep SdkAppid access.log | tail -1 | trtc-call explain --body @event.json
  trtc-call explain --url 'https://example.com/callback?SdkAppid=…' --body @event.json
  trtc-call explain request.txt --at 2022-12-01T05:21:52Z --takes Callback
  trtc-call explain request.txt --json | jq '.steps[] | select(.result == \"failed\")'

Exit status: 0 if the request would be acknowledged, 1 if it would be refused, 2 if that cannot be
told.";

pub(super) const INBOX: &str = "\
Examples:
  export INBOX=callbacks.db
  export INBOX='postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full'
  trtc-call inbox status
  trtc-call inbox check
  trtc-call inbox list --state dead --since 2h
  trtc-call inbox show 7 --body
  trtc-call inbox replay 7 8
  trtc-call inbox replay --all --call-id a-1
  trtc-call inbox discard --all --state disputed --since 2026-03-01 --yes
  trtc-call inbox resolve 7
  trtc-call inbox erase --user 10001 --sdk-app-id 1400000001
  trtc-call inbox prune --done-after 1d --yes
  trtc-call inbox list --json | jq 'select(.attempts > 3) | .last_error'

Exit status: 0; 1 if there is no such item, or nothing could be done with it, or check finds something;
2 if it cannot be done.";

pub(super) const USERSIG: &str = "\
Examples:
  export SDK_APP_ID=1400000001 TRTC_SECRET_KEY=…
  trtc-call usersig
  trtc-call usersig --user 10001 --valid-for 3600
  trtc-call usersig --secret-key-file /run/secrets/trtc";

pub(super) const CALLBACK: &str = "\
Examples:
  export SDK_APP_ID=1400000001 TRTC_SECRET_KEY=…
  trtc-call callback get --region singapore
  trtc-call callback set --region singapore --url https://example.com/callback --random-segment
  trtc-call callback set --region singapore --url https://example.com/… --command CallEnded --yes
  trtc-call callback delete --region singapore
  trtc-call callback get --api-url http://127.0.0.1:8090 --json

Exit status: 0; 1 if get or delete finds none set; 2 if it cannot be done, also where set or delete
would change something, there is no terminal to ask at, and no --yes.";

pub(super) const RECORD: &str = "\
Examples:
  export SDK_APP_ID=1400000001 TRTC_SECRET_KEY=…
  trtc-call record 055662e1-bc8a-469c-a334-1126c8c17d58 --region singapore
  trtc-call record 055662e1-bc8a-469c-a334-1126c8c17d58 --region singapore --json | jq .talk_seconds

Exit status: 0; 1 if the vendor has no such record; 2 if it cannot be asked.";

pub(super) const RECORDS: &str = "\
Examples:
  export SDK_APP_ID=1400000001 TRTC_SECRET_KEY=…
  trtc-call records --region singapore --since 2h
  trtc-call records --region singapore --since 2026-03-01 --until 2026-03-02
  trtc-call records --region singapore --since 7d --json | jq 'select(.talk_seconds == null)'

Exit status: 0; 1 if there is none; 2 if the vendor cannot be asked, or none can be read.";

pub(super) const RECONCILE: &str = "\
Examples:
  export SDK_APP_ID=1400000001 TRTC_SECRET_KEY=…
  trtc-call reconcile --region singapore --inbox callbacks.db --since 2h
  trtc-call reconcile --region singapore --inbox callbacks.db --confirm always
  trtc-call reconcile --region singapore --inbox callbacks.db --json | jq -r '.found[].call_id'

A worker of the inbox does the rest. A server that reconciles by itself needs none of this.

Exit status: 0; 2 if the vendor cannot be asked or the inbox cannot be used.";

pub(super) const DOCTOR: &str = "\
Examples:
  export SDK_APP_ID=1400000001 TRTC_SECRET_KEY=…
  trtc-call doctor --region singapore
  CALLBACK_TOKEN=xxxxyyyy trtc-call doctor --region singapore --inbox callbacks.db
  trtc-call doctor --url https://example.com/callback/…
  trtc-call doctor --api-url http://127.0.0.1:8090
  trtc-call doctor --region singapore --json | jq '.checks[] | select(.status == \"finding\")'

Exit status: 0 if nothing is found, 1 if something is, 2 if it cannot be done.";

pub(super) const VENDOR: &str = "\
Examples:
  export TRTC_SECRET_KEY=any TRTC_API_URL=http://127.0.0.1:8090 SDK_APP_ID=1400000001
  trtc-call vendor --calls 100 --per-second 5 --lose 0.1 --repeat 0.1 --forge 0.05
  trtc-call callback set --url http://127.0.0.1:8080/callback
  curl -d '{\"Caller_Account\":\"10001\"}' http://127.0.0.1:8090/calls
  trtc-call records --since 1h
  trtc-call vendor --state vendor.jsonl --seed 7 --error 60008:0.1 --json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  source <(trtc-call completions bash)
  trtc-call completions zsh > ~/.zfunc/_trtc-call
  trtc-call completions fish > ~/.config/fish/completions/trtc-call.fish";

pub(super) const MAN: &str = "\
Examples:
  trtc-call man | man -l -
  trtc-call man > /usr/local/share/man/man1/trtc-call.1";
