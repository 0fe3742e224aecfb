package replica

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/cometbft/cometbft/libs/log"
)

// engineLogger hands the engine's log to the node's.
type engineLogger struct {
	log *slog.Logger
	end *ending
}

func (l engineLogger) Debug(msg string, keyvals ...any) { l.log.Debug(msg, keyvals...) }
func (l engineLogger) Info(msg string, keyvals ...any)  { l.log.Debug(msg, keyvals...) }
func (l engineLogger) With(keyvals ...any) log.Logger {
	return engineLogger{l.log.With(keyvals...), l.end}
}

// Error also finds out that the engine gave up: it says so here and nowhere else, and its process lives on
// without a vote.
func (l engineLogger) Error(msg string, keyvals ...any) {
	l.log.Warn(msg, keyvals...)
	if !strings.HasPrefix(msg, "CONSENSUS FAILURE") {
		return
	}
	reason := "unknown"
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] == "err" {
			reason = fmt.Sprint(keyvals[i+1])
		}
	}
	l.end.announce(fmt.Errorf("the engine gave up, blocks up to the last one are whole: %s", reason))
}
