-- The same callback again and again; what came of it in one line, for `loopback.rs`.
function init(arguments)
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   wrk.body = arguments[1]
end

function done(summary, latency)
   print(string.format("figures %d %d %d %d %d %d", summary.requests, summary.errors.status,
      summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
