package replica

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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
	return engineLogger{l.log.With(shown(keyvals)...), l.end}
}

// Debug is called for each transaction and each part of a block.
func (l engineLogger) Debug(msg string, keyvals ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(msg, shown(keyvals)...)
	}
}

func (l engineLogger) Info(msg string, keyvals ...any) {
	l.Debug(msg, keyvals...)
	l.meet(keyvals)
}

// Error also finds out that the engine gave up: it says so here and nowhere else, and its process lives on
// without a vote.
func (l engineLogger) Error(msg string, keyvals ...any) {
	l.log.Warn(msg, shown(keyvals)...)
	l.meet(keyvals)
	if strings.HasPrefix(msg, "CONSENSUS FAILURE") {
		l.end.announce(fmt.Errorf("the engine gave up, blocks up to the last one are whole: %v", valueOf(keyvals, "err")))
	}
}

// shown has in place of the engine's own parts the names that they give themselves: a log in JSON would show all
// that is in them.
func shown(keyvals []any) []any {
	all := slices.Clone(keyvals)
	for i := 1; i < len(all); i += 2 {
		if part, ok := all[i].(fmt.Stringer); ok {
			all[i] = named{part}
		}
	}
	return all
}

// named is shown by its name, which is made only where it is shown.
type named struct{ fmt.Stringer }

// LogValue implements slog.LogValuer.
func (n named) LogValue() slog.Value { return slog.StringValue(n.String()) }

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
