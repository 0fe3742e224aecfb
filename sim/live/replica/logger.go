package replica

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/p2p"
)

// engineLogger hands the engine's log to the node's.
type engineLogger struct {
	log *slog.Logger
	end *ending
}

func (l engineLogger) With(keyvals ...any) log.Logger {
	return engineLogger{l.log.With(keyvals...), l.end}
}

func (l engineLogger) Debug(msg string, keyvals ...any) { l.log.Debug(msg, keyvals...) }

func (l engineLogger) Info(msg string, keyvals ...any) {
	l.log.Debug(msg, keyvals...)
	l.meet(keyvals)
}

// Error also finds out that the engine gave up: it says so here and nowhere else, and its process lives on
// without a vote.
func (l engineLogger) Error(msg string, keyvals ...any) {
	l.log.Warn(msg, keyvals...)
	l.meet(keyvals)
	if strings.HasPrefix(msg, "CONSENSUS FAILURE") {
		l.end.announce(fmt.Errorf("the engine gave up, blocks up to the last one are whole: %v", valueOf(keyvals, "err")))
	}
}

// meet notes that a peer is of another network, which the engine says in its log only.
func (l engineLogger) meet(keyvals []any) {
	if rejected, ok := valueOf(keyvals, "err").(p2p.ErrRejected); ok && rejected.IsIncompatible() {
		l.end.meet(rejected.Error())
	}
}

func valueOf(keyvals []any, key string) any {
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] == key {
			return keyvals[i+1]
		}
	}
	return nil
}
