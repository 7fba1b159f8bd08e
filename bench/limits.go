package main

// What profiles say of bounds that are out of reach, or at the edge, and of costs that grow, on a machine with two processors, in November 2026.
const (
	limitOfStart = `before main() some 6.5 ms pass: 1.6 until any program of Go runs, 4 in what packages make when they are loaded,
of which more than half are the tables of kafka-go (it looks through every type of the protocol), the rest page faults of
a larger program. That alone is more than three times what a program takes that links bbolt alone. In main() the first
probe is seen after another millisecond, two thirds of it for the store: a lock, a look at all pages that matter, a sync.`

	limitOfStarts = `beside that, 12 ms for 1,000 blocks, all of which are judged before anything runs: a third in the parser of TOML
(BurntSushi/toml), a quarter in judging and decoding, a tenth for lines that errors can name; a quarter of all CPU is page faults.`

	limitOfBatches = `of some 55 ms for 10,000 events, catpaw's processes use 65 to 80 ms of the two processors, the sink, which runs on the
same two, 10, and a quarter is idle: while the disk syncs, 15 ms of the 55, the thread that waits for it keeps one of the two that Go's
scheduler hands out. A third one (GOMAXPROCS) costs a tenth more CPU and gains nothing. Nor do writing earlier or later, in fewer or in
more transactions, pages of 8 to 64 KiB, deleting what was delivered only afterwards, or half the requests. By the profile, 30 % of
catpaw's CPU are transactions of bbolt, 25 % deciding and encoding, 12 % the senders with HTTP, 10 % reading the script. Across all of
them, 30 % are page faults, 1.5 µs each: an idle agent holds no memory that a burst could use, and nothing is collected while it lasts.
With 60 MiB touched beforehand the rate is a quarter higher, which holds the bound, and is not worth 60 MiB to whoever has no burst; huge
pages make it slower here, and collecting garbage earlier gains nothing. Of 40,000 events and more the bound holds: until the first ones
come, and while the last ones are written, little else is to do, some 7 ms whatever the number. How fast the bare client is differs more
from hour to hour than catpaw: medians were between 4.1 and 5.5 times.`

	limitOfWalks = `nine tenths of the time are the kernel's, which looks up names; catpaw's CPU is about that of find, so two processors give
a half at best, and what else the machine does is added.`

	limitOfGrowth = `To standard output 3.2 million events of as many alerts, 3 to 6 GiB in memory, cost more each than 200,000. By the
profile it is the kernel, which zeroes pages for 1 % of the CPU there and for 28 % here: a virtual machine must first get from its host what
it has not used lately. In catpaw's code only the look-up of alerts grows, by 0.2 of 8 µs an event, in an index that no longer fits
into the processor's cache, and what the collector looks through, by as much.`

	limitOfLatency = `of the 1.8 ms that are usual, up to 1.1 are the timer's: the runtime of Go waits for the network and for timers at once, in
whole milliseconds. 0.7 are two syncs of the disk, for an event is told when it is kept, not before; looking at the target takes
0.25, deciding 0.05, the POST 0.35. The slowest of a hundred wait for the disk: 2.7 ms. A thread that sleeps the rest of the
millisecond in the kernel took 0.6 ms off the median and 1 ms off the 99th percentile, still 6.5 times a bare POST's, for a
thread woken once more for every run of every check: it is not worth it. Among all figures below, DiskAndPost compares with a
transaction by hand and a POST.`
)
