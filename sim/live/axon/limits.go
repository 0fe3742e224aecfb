package axon

import "time"

// Limits bound what calls may cost a node. A zero stands for the default in the comment.
type Limits struct {
	BodyBytes         int           // of a message; 16 MiB
	MemoryBytes       int64         // of all questions that a server holds; 256 MiB
	AnswerBytes       int64         // of all answers that a node reads, with callBytes for each open call; 512 MiB
	OpenCalls         int           // that a server holds; 4096
	CallerCalls       int           // of them, of one caller; 64
	Connections       int           // that a server holds, and that a client keeps; 4096
	CallerConnections int           // of those of a server, of one caller; 16
	Strangers         int           // of those of a server, of one address, on which no call was admitted; 64
	AdmitTime         time.Duration // in which a call has to be admitted on a new connection; 5 s
	ReadTimeout       time.Duration // in which a question has to arrive; 20 s
	LongestCall       time.Duration // how late a deadline may be; 10 min
	IdleTimeout       time.Duration // after which an unused connection is closed; 5 min
	KeepAlive         time.Duration // between signs of life on a silent connection with open calls; 30 s
	StopTimeout       time.Duration // that calls get to end when a server stops; 5 s
	HandshakeTime     time.Duration // for TCP and TLS; 20 s
}

// WithDefaults fills in what stands for the zeros.
func (l Limits) WithDefaults() Limits {
	fill(&l.BodyBytes, 16<<20)
	fill(&l.MemoryBytes, 256<<20)
	l.MemoryBytes = max(l.MemoryBytes, int64(l.BodyBytes+questionHead)) // or the longest question would never be read
	fill(&l.AnswerBytes, 512<<20)
	l.AnswerBytes = max(l.AnswerBytes, callBytes+2*int64(l.BodyBytes+messageBytes)) // as the longest answer takes as it grows
	fill(&l.OpenCalls, 4096)
	fill(&l.CallerCalls, 64)
	fill(&l.Connections, 4096)
	fill(&l.CallerConnections, 16)
	fill(&l.Strangers, 64)
	fill(&l.AdmitTime, 5*time.Second)
	fill(&l.ReadTimeout, 20*time.Second)
	fill(&l.LongestCall, 10*time.Minute)
	fill(&l.IdleTimeout, 5*time.Minute)
	fill(&l.KeepAlive, 30*time.Second)
	fill(&l.StopTimeout, 5*time.Second)
	fill(&l.HandshakeTime, 20*time.Second)
	return l
}

func fill[T int | int64 | time.Duration](v *T, standard T) {
	if *v == 0 {
		*v = standard
	}
}
