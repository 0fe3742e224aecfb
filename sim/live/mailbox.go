package live

import (
	"context"
	"sync"
)

// mailbox is what waits to happen to a node, in lanes that cannot hold each other up. Inputs come from the
// node's own calls, jobs and transactions: who brings one waits until there is room. Requests come from
// outside: there is room or there is not. News are blocks, which wait for nobody: a node that falls far behind
// sees the newest and everything that became of its transactions, without each block in between.
type mailbox struct {
	inputs   chan func()
	requests chan func()

	mu       sync.Mutex
	news     []*sight
	newsCame chan struct{} // holds one when there are news
}

func newMailbox() *mailbox {
	return &mailbox{
		inputs: make(chan func(), maxInputs), requests: make(chan func(), maxRequests), newsCame: make(chan struct{}, 1),
	}
}

// bring puts an input into its lane, unless ctx ends first.
func (m *mailbox) bring(ctx context.Context, happen func()) bool {
	select {
	case m.inputs <- happen:
		return true
	case <-ctx.Done():
		return false
	}
}

// offer puts a request into its lane, if there is room.
func (m *mailbox) offer(happen func()) bool {
	select {
	case m.requests <- happen:
		return true
	default:
		return false
	}
}

// tell adds a block to the news.
func (m *mailbox) tell(s *sight) {
	m.mu.Lock()
	if n := len(m.news); n == maxNews {
		m.news[n-1] = m.news[n-1].followedBy(s)
	} else {
		m.news = append(m.news, s)
	}
	m.mu.Unlock()
	select {
	case m.newsCame <- struct{}{}:
	default:
	}
}

// takeNews takes all blocks that wait.
func (m *mailbox) takeNews() []*sight {
	m.mu.Lock()
	defer m.mu.Unlock()
	news := m.news
	m.news = nil
	return news
}
