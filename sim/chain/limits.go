package chain

// limits are the blocks in which a hotkey last did what is rate-limited; 0: never.
type limits struct{ serve, reset, take, swap uint64 }

func (l *limits) layout(c *coder) {
	c.u64(&l.serve)
	c.u64(&l.reset)
	c.u64(&l.take)
	c.u64(&l.swap)
}

// mayAgain checks that enough blocks have passed since the last time. The first time is free.
func (s *State) mayAgain(last, blocks uint64) error {
	if passed := s.height + 1 - last; last != 0 && passed < blocks {
		return refuse(TooSoon, passed, blocks)
	}
	return nil
}
