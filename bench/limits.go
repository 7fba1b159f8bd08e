package main

// What the profiles say of bounds that are out of reach, or at the edge, on a machine with two processors.
const (
	limitOfStart = `before main() some 6.5 ms pass: 1.6 until any program of Go runs, 4 in what packages make when they are loaded,
of which more than half are the tables of kafka-go (it looks through every type of the protocol), the rest page faults of
a larger program. That alone is more than three times what a program takes that links bbolt alone. In main() the first
probe is seen after another millisecond, two thirds of it for the store: a lock, a look at all pages that matter, a sync.`

	limitOfStarts = `beside that, 12 ms for 1,000 blocks, all of which are judged before anything runs: a third in the parser of TOML
(BurntSushi/toml), a quarter in judging and decoding, a tenth for lines that errors can name; a quarter of all CPU is page faults.`

	limitOfBatches = `both processors are full, and the sink's work is done on the same two. A quarter of catpaw's time are page faults
(1.1 for an event at 2.2 µs, as an idle agent holds no memory that a burst could use), a quarter is bbolt, of which a tenth is the disk;
deciding and encoding, reading the script and HTTP take an eighth each.`

	limitOfWalks = `nine tenths of the time are the kernel's, which looks up names; catpaw's CPU is about that of find, so two processors give
a half at best, and what else the machine does is added.`

	limitOfLatency = `an event is told when it is on disk, not before: that takes two syncs, which are most of the time, and all of its spread. The
row below compares with the same two syncs and a POST.`
)
