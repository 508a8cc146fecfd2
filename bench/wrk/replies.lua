-- SPDX-License-Identifier: Apache-2.0
-- Everybody replies once that they come to one occurrence: whoever has the token of a line of a file. Tells when a thread has
-- all its answers ("finished"), so that whoever waits for it can end wrk by SIGINT.
-- wrk -s replies.lua URL -- PATH FILE THREADS
-- Prints one line for bench/run at the end: answers with status 200, others, and seconds from the first request to the last answer.

local ffi = require("ffi")
ffi.cdef("struct timespec { long s, ns; }; int clock_gettime(int clock, struct timespec *now);")
local MONOTONIC, NEVER_MS = 1, 3600000
local threads = {}

function setup(thread)
	threads[#threads + 1] = thread
	thread:set("number", #threads)
end

local function clock()
	local now = ffi.new("struct timespec[1]")
	ffi.C.clock_gettime(MONOTONIC, now)
	return tonumber(now[0].s) + tonumber(now[0].ns) / 1e9
end

function init(args)
	local line, count = 0, tonumber(args[3])
	asked, begun, sent, good, bad = {}, 0, 0, 0, 0
	for token in io.lines(args[2]) do
		if line % count == number - 1 then
			local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
			asked[#asked + 1] = wrk.format("PUT", args[1], headers, '{"status":"going"}')
		end
		line = line + 1
	end
end

-- wrk asks how long a connection rests before each of its requests: for good when there is nobody left.
function delay()
	if begun == #asked then
		return NEVER_MS
	end
	begun = begun + 1
	return 0
end

function request()
	if begun == 0 then -- wrk looks at one before it begins
		return asked[1]
	end
	sent = sent + 1
	first = first or clock()
	return asked[sent]
end

function response(status)
	if status == 200 then
		good = good + 1
	else
		bad = bad + 1
	end
	last = clock()
	if good + bad == #asked then
		print("finished")
		io.flush()
	end
end

function done()
	local from, to, yes, no = math.huge, 0, 0, 0
	for _, thread in ipairs(threads) do
		from = math.min(from, thread:get("first"))
		to = math.max(to, thread:get("last"))
		yes = yes + thread:get("good")
		no = no + thread:get("bad")
	end
	print(string.format("result good=%d bad=%d seconds=%.6f", yes, no, to - from))
end
