package main

// What profiles say of bounds that are out of reach, or at the edge, on a machine with two processors, in November 2026.
const (
	limitOfStart = `before main() some 6.5 ms pass: 1.6 until any program of Go runs, 4 in what packages make when they are loaded,
of which more than half are the tables of kafka-go (it looks through every type of the protocol), the rest page faults of
a larger program. That alone is more than three times what a program takes that links bbolt alone. In main() the first
probe is seen after another millisecond, two thirds of it for the store: a lock, a look at all pages that matter, a sync.`

	limitOfStarts = `beside that, 12 ms for 1,000 blocks, all of which are judged before anything runs: a third in the parser of TOML
(BurntSushi/toml), a quarter in judging and decoding, a tenth for lines that errors can name; a quarter of all CPU is page faults.`

	limitOfBatches = `both processors are full, and the sink's work is done on the same two; how fast the bare client is differs more from hour to
hour than catpaw: medians were between 4.1 and 5.5 times. By the profile, 28 % of catpaw's CPU are transactions of bbolt, 25 % deciding and
encoding, 16 % the senders with HTTP, 10 % reading the script. Across all of them, 28 % are page faults: an idle agent holds no memory that a
burst could use. With 60 MiB touched beforehand the rate is a quarter higher, which holds the bound, and is not worth 60 MiB to whoever has no
burst; huge pages make it slower here, and collecting garbage earlier gains nothing. Of 160,000 events the rate is higher.`

	limitOfWalks = `nine tenths of the time are the kernel's, which looks up names; catpaw's CPU is about that of find, so two processors give
a half at best, and what else the machine does is added.`

	limitOfLatency = `of the 1.8 ms that are usual, up to 1.1 are the timer's: the runtime of Go waits for the network and for timers at once, in
whole milliseconds. 0.7 are two syncs of the disk, for an event is told when it is kept, not before; looking at the target takes
0.25, deciding 0.05, the POST 0.35. The slowest of a hundred wait for the disk: 2.7 ms. A thread that sleeps the rest of the
millisecond in the kernel took 0.6 ms off the median and 1 ms off the 99th percentile, still 6.5 times a bare POST's, for a
thread woken once more for every run of every check: it is not worth it. Among all figures below, DiskAndPost compares with a
transaction by hand and a POST.`
)
