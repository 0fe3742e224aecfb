package replica

import (
	"log/slog"

	"github.com/cometbft/cometbft/libs/log"
)

// engineLogger hands the engine's log to the node's.
type engineLogger struct{ log *slog.Logger }

func (l engineLogger) Debug(msg string, keyvals ...any) { l.log.Debug(msg, keyvals...) }
func (l engineLogger) Info(msg string, keyvals ...any)  { l.log.Debug(msg, keyvals...) }
func (l engineLogger) Error(msg string, keyvals ...any) { l.log.Warn(msg, keyvals...) }
func (l engineLogger) With(keyvals ...any) log.Logger   { return engineLogger{l.log.With(keyvals...)} }
