package main

// What profiles say of bounds that are out of reach, or at the edge, and of costs that grow, on a machine with two processors, in November 2026.
const (
	limitOfStart = `of 7.5 to 8.5 ms, by the hour, 6.5 pass before main(): 1.6 until any program of Go runs, 4 in what packages make when
they are loaded, of which more than half are the tables of kafka-go (it looks through every type of the protocol); the other 0.9 are
page faults of a larger program. That alone is more than three times what a program takes that links bbolt alone. From main() to the
first probe it is another millisecond, two thirds of it for the store: a lock, a look at all pages that matter, a sync. What remains
is the way of starting and of the probe.`

	limitOfStarts = `beside that, 12 ms for 1,000 blocks, all of which are judged before anything runs: a third in the parser of TOML
(BurntSushi/toml), a quarter in judging and decoding, a tenth for lines that errors can name; a quarter of all CPU is page faults.`

	limitOfBatches = `10,000 events take some 55 ms, which are 110 ms of two processors. catpaw uses 65 to 80 ms of CPU in that time (starting
and ending are the rest of the row's ms-cpu), the sink, which runs on the same two, 10. A quarter is idle, 27 ms of both processors, at most
15 of which are explained by the thread that waits for the disk. GOMAXPROCS=3 costs a tenth more CPU and gains nothing. Nor do writing
earlier or later, in fewer or in more transactions, pages of 8 to 64 KiB, deleting what was delivered only afterwards, or half the requests.
By the profile, 30 % of catpaw's CPU are transactions of bbolt, 25 % deciding and encoding, 12 % the senders with HTTP, 10 % reading the
script. Across all of them, 30 % are page faults, 1.5 µs each: an idle agent holds no memory that a burst could use, and nothing is
collected while it lasts. With 60 MiB touched beforehand the rate is a quarter higher, which holds the bound, and is not worth 60 MiB to
whoever has no burst; huge pages make it slower here, and collecting garbage earlier gains nothing. Of 160,000 events the bound holds: until
the first ones come, and while the last ones are written, little else is to do, some 7 ms whatever the number. Medians of this row were
between 3.8 and 5.1 times, from hour to hour.`

	limitOfWalks = `nine tenths of the time are the kernel's, which looks up names; catpaw's CPU is about that of find, so two processors give
about a half, and what else the machine does is added.`

	limitOfGrowth = `To standard output 3.2 million events of as many alerts, 3 to 6 GiB in memory, cost more each than 200,000. By the
profile it is the kernel, which zeroes pages for 1 % of the CPU there and for 28 % here: a virtual machine must first get from its host what
it has not used lately. In catpaw's code only the look-up of alerts grows, by 0.2 of 8 µs an event, in an index that no longer fits
into the processor's cache, and what the collector looks through, by as much.

What JetStream and Kafka get at × 1 is told within a minute of its decision, at × 16 most of it later, when it must say so: that costs an
event 0.6 µs more, which is in their growth, too.`

	limitOfLatency = `of the 1.8 ms that are usual, 0.55 on average, at most 1.1, are the timer's: the runtime of Go waits for the network and for timers at once, in
whole milliseconds. 0.7 are two syncs of the disk, for an event is told when it is kept, not before; looking at the target takes
0.25, deciding 0.05, the POST 0.35. The slowest of a hundred wait for the disk: 2.7 ms. A thread that sleeps the rest of the
millisecond in the kernel took 0.6 ms off the median and 1 ms off the 99th percentile, in that run still 6.5 times a bare POST's, for a
thread woken once more for every run of every check: it is not worth it. Among all figures below, DiskAndPost compares with a
transaction by hand and a POST.`
)
