-- Callbacks of calls that differ in their ids; what came of it in one line, for `http.rs`.
local before, after, run
local count = 0

function init(arguments)
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   before, after = string.match(arguments[1], "^(.-)CALL_ID(.*)$")
   run = arguments[2]
end

function request()
   count = count + 1
   return wrk.format(nil, nil, nil, before .. string.format("%s-%012x", run, count) .. after)
end

function response(status, headers, body)
   if not string.find(body, '"OK"', 1, true) then failed = (failed or 0) + 1 end
end

function setup(thread)
   only = thread
end

function done(summary, latency)
   print(string.format("figures %d %d %d %d %d %d", summary.requests, only:get("failed") or 0,
      summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
