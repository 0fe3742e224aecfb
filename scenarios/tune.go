package scenarios

import (
	"fmt"
	"math"
	"slices"

	"taolab/report"
	"taolab/scenarios/search"
)

// TuneSection says which settings taolab tune looks for. Package tune searches.
type TuneSection struct {
	Method       string           `toml:"method" default:"cmaes" one:"cmaes,nelder-mead,surrogate" doc:"cmaes samples a normal distribution that follows the better half of each generation; nelder-mead moves a simplex, for objectives without noise; surrogate fits a Gaussian process to the outcomes and tries the point at which it expects to improve most, for points that cost minutes: at most 256 of them over at most 20 keys"`
	Evaluations  int              `toml:"evaluations" default:"100" min:"4" max:"100000" unit:"points" doc:"points that a search tries at most; with two objectives there are 11 searches"`
	Population   int              `toml:"population" max:"4096" unit:"points" doc:"points of a generation of cmaes, at least 4; 0: as many as the number of keys suggests. For surrogate, points of a batch that are tried side by side, at most 64; 0: 1"`
	Step         float64          `toml:"step" default:"0.3" min:"0.001" max:"1" unit:"share" doc:"first step of cmaes and nelder-mead, as a share of each key's range; a search starts in the middle of all ranges"`
	Replications int              `toml:"replications" default:"4" min:"1" max:"10000" doc:"runs of each point, with the same seeds at all points; where the objective is noisy, more of them help before more points do"`
	Judge        int              `toml:"judge" default:"16" min:"1" max:"10000" unit:"runs" doc:"runs of the point found, with seeds that the search has not seen: their statistic is what is reported"`
	Keys         []SweepKey       `toml:"keys"`
	Objectives   []TuneObjective  `toml:"objectives"`
	Constraints  []TuneConstraint `toml:"constraints"`
}

// TuneObjective is a number that should be small, large, or near another one.
type TuneObjective struct {
	Metric    string  `toml:"metric" doc:"a number of the summary by its name"`
	Goal      string  `toml:"goal" default:"min" one:"min,max,target" doc:"what the number should be: small, large, or near target"`
	Target    float64 `toml:"target" doc:"where the number should be, for goal = \"target\""`
	Statistic string  `toml:"statistic" default:"mean" one:"mean,median,q5,q95" doc:"of the number over the replications"`
}

// TuneConstraint is what must hold of a point that is found.
type TuneConstraint struct {
	Metric     string    `toml:"metric" doc:"a number of the summary by its name"`
	Statistic  string    `toml:"statistic" default:"mean" one:"mean,median,q5,q95" doc:"of the number over the replications"`
	Comparison string    `toml:"comparison" one:",<=,>=,between" doc:"how the statistic must stand to value"`
	Value      []float64 `toml:"value" doc:"the number to compare with; for between a pair [low, high]"`
}

// tune checks what a search looks for.
func (c *checker) tune() {
	t := &c.Tune
	if len(t.Keys)+len(t.Objectives)+len(t.Constraints) == 0 {
		return
	}
	switch n := len(t.Keys); {
	case n == 0:
		c.fault("tune.keys", "no key", "the keys that are searched", "")
	case len(t.Objectives) < 1 || len(t.Objectives) > 2:
		c.fault("tune.objectives", fmt.Sprintf("%d objectives", len(t.Objectives)), "one or two", "")
	case t.Method != "surrogate" && t.Population != 0 && t.Population < 4:
		c.fault("tune.population", fmt.Sprint(t.Population), "0, or at least 4", "")
	case t.Method == "surrogate" && t.Population > search.MaxSurrogateBatch:
		c.fault("tune.population", fmt.Sprint(t.Population), fmt.Sprintf("at most %d, the points of a batch", search.MaxSurrogateBatch), "")
	case t.Method == "surrogate" && n > search.MaxSurrogateSettings:
		c.fault("tune.keys", fmt.Sprintf("%d keys", n), fmt.Sprintf("at most %d for a surrogate", search.MaxSurrogateSettings), `method = "cmaes" takes more`)
	case t.Method == "surrogate" && t.Evaluations > search.MaxSurrogatePoints:
		c.fault("tune.evaluations", fmt.Sprint(t.Evaluations), fmt.Sprintf("at most %d for a surrogate, whose cost grows with their cube", search.MaxSurrogatePoints),
			`method = "cmaes" suits points that cost so little`)
	case t.Evaluations < t.fewest():
		c.fault("tune.evaluations", fmt.Sprint(t.Evaluations), fmt.Sprintf("at least %d, of which %s begins", t.fewest(), t.Method), "")
	}
	for i := range t.Keys {
		c.sweptKey(&t.Keys[i], fmt.Sprintf("tune.keys[%d]", i), t.Keys[:i])
	}
	names := report.MetricNames(c.participants(), c.Tables(), c.textNames(), c.yearNames())
	known := func(key, metric string) {
		if !slices.Contains(names, metric) {
			c.fault(key, fmt.Sprintf("no run of this scenario has the number %q", metric), "a number that taolab report RUN --metrics lists",
				metricHint(metric, slices.DeleteFunc(slices.Clone(names), ofOneMiner)))
		}
	}
	for i, o := range t.Objectives {
		known(fmt.Sprintf("tune.objectives[%d].metric", i), o.Metric)
	}
	for i, k := range t.Constraints {
		key := fmt.Sprintf("tune.constraints[%d]", i)
		known(key+".metric", k.Metric)
		switch {
		case k.Comparison == "":
			c.fault(key+".comparison", "missing", "one of <=, >=, between", "")
		case k.Comparison == "between" && (len(k.Value) != 2 || k.Value[0] > k.Value[1]):
			c.fault(key+".value", fmt.Sprint(k.Value), "a pair [low, high]", "")
		case k.Comparison != "between" && len(k.Value) != 1:
			c.fault(key+".value", fmt.Sprint(k.Value), "one number", "")
		}
	}
}

// fewest is the number of points with which a search begins: a generation, a simplex, or what a surrogate is first fitted to.
func (t *TuneSection) fewest() int {
	switch {
	case t.Method == "nelder-mead":
		return len(t.Keys) + 1
	case t.Method == "surrogate":
		return search.SurrogateBegin(len(t.Keys))
	case t.Population == 0:
		return search.DefaultPopulation(len(t.Keys))
	}
	return t.Population
}

// Margin is by how much a number misses the constraint, as a share of its bound where that is not 0; below 0 where the
// constraint holds.
func (k TuneConstraint) Margin(x float64) float64 {
	share := func(over, bound float64) float64 {
		if bound = math.Abs(bound); bound == 0 {
			bound = 1
		}
		return over / bound
	}
	switch k.Comparison {
	case "<=":
		return share(x-k.Value[0], k.Value[0])
	case ">=":
		return share(k.Value[0]-x, k.Value[0])
	}
	return max(share(k.Value[0]-x, k.Value[0]), share(x-k.Value[1], k.Value[1]))
}

// Cost is the objective as a number that should be small.
func (o TuneObjective) Cost(x float64) float64 {
	switch o.Goal {
	case "max":
		return -x
	case "target":
		return math.Abs(x - o.Target)
	}
	return x
}
