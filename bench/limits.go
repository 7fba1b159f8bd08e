package main

// What profiles say of bounds that are out of reach, or at the edge, on a machine with two processors, and when they did.
const (
	limitOfStart = `before main() some 6.5 ms pass: 1.6 until any program of Go runs, 4 in what packages make when they are loaded,
of which more than half are the tables of kafka-go (it looks through every type of the protocol), the rest page faults of
a larger program. That alone is more than three times what a program takes that links bbolt alone. In main() the first
probe is seen after another millisecond, two thirds of it for the store: a lock, a look at all pages that matter, a sync.`

	limitOfStarts = `beside that, 12 ms for 1,000 blocks, all of which are judged before anything runs: a third in the parser of TOML
(BurntSushi/toml), a quarter in judging and decoding, a tenth for lines that errors can name; a quarter of all CPU is page faults.`

	limitOfBatches = `both processors are full, and the sink's work is done on the same two; how fast the bare client is differs more from run to run
than catpaw (28,000 to 37,000 a second): medians are between 4.1 and 5.5 times. A quarter of catpaw's time are page faults (1.1 for an
event at 2.2 µs, as an idle agent holds no memory that a burst could use), a quarter is bbolt, of which a tenth is the disk; deciding and
encoding, reading the script and HTTP take an eighth each. The last transaction and its POST, 10 ms, have nothing beside them: of 160,000
events the rate is higher.`

	limitOfWalks = `nine tenths of the time are the kernel's, which looks up names; catpaw's CPU is about that of find, so two processors give
a half at best, and what else the machine does is added.`

	limitOfLatency = `of the 1.8 ms that are usual, up to 1.1 are the timer's: the runtime of Go waits for the network and for timers at once, in
whole milliseconds. 0.7 are two syncs of the disk, for an event is told when it is kept, not before; looking at the target takes
0.25, deciding 0.05, the POST 0.35. Among all figures below, DiskAndPost compares with a transaction by hand and a POST.`
)
