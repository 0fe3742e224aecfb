package pile

type Count struct {
	Name                                 string
	Weight                               float64
	Documents, Bytes                     int64
	TrainBytes, ScoreBytes, HeldOutBytes int64
}

func Inspect(src Source) ([]Count, error) { return nil, errUnfinished }
