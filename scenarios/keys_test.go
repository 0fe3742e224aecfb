package scenarios

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/token"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// move is another value for a key, and what else must be set for the key to matter.
type move struct {
	set  string // the key as a file would write it, with its value
	with []string
}

// moves has a move for each key of a scenario that is not inert.
var moves = map[string]move{
	"name": {set: `name="other"`},
	"seed": {set: "seed=2"},
	"mode": {set: "mode=economy", with: []string{`network.regions=["europe", "america", "asia"]`, "network.latency_ms=[[10, 45, 90], [45, 15, 70], [90, 70, 20]]"}},

	"time.hours":   {set: "time.hours=0.41"},
	"time.block_s": {set: "time.block_s=11"},

	"chain.era":                       {set: "chain.era=2026"},
	"chain.rule":                      {set: "chain.rule=yuma3"},
	"chain.emission":                  {set: "chain.emission=flat"},
	"chain.tempo_blocks":              {set: "chain.tempo_blocks=11"},
	"chain.digest_epochs":             {set: "chain.digest_epochs=2"},
	"chain.immunity_blocks":           {set: "chain.immunity_blocks=31"},
	"chain.activity_cutoff_blocks":    {set: "chain.activity_cutoff_blocks=3"},
	"chain.weights_rate_limit_blocks": {set: "chain.weights_rate_limit_blocks=50"},
	"chain.min_allowed_weights":       {set: "chain.min_allowed_weights=5"},
	"chain.max_weight":                {set: "chain.max_weight=0.3"},
	"chain.max_validators":            {set: "chain.max_validators=2"},
	"chain.kappa":                     {set: "chain.kappa=0.9"},
	"chain.bonds_moving_average":      {set: "chain.bonds_moving_average=0"},
	"chain.initial_issuance_tao":      {set: "chain.initial_issuance_tao=7"},
	"chain.liquid_alpha":              {set: "chain.liquid_alpha=true", with: []string{"chain.rule=yuma3"}},
	"chain.alpha_low":                 {set: "chain.alpha_low=0.5", with: []string{"chain.rule=yuma3", "chain.liquid_alpha=true"}},
	"chain.alpha_high":                {set: "chain.alpha_high=0.95", with: []string{"chain.rule=yuma3", "chain.liquid_alpha=true"}},
	"chain.alpha_steepness":           {set: "chain.alpha_steepness=3", with: []string{"chain.rule=yuma3", "chain.liquid_alpha=true"}},
	"chain.bonds_penalty":             {set: "chain.bonds_penalty=0.5"},
	"chain.commit_reveal":             {set: "chain.commit_reveal=true"},
	"chain.reveal_period_epochs":      {set: "chain.reveal_period_epochs=2", with: []string{"chain.commit_reveal=true"}},
	"chain.server_share":              {set: "chain.server_share=0.3"},
	"chain.owner_cut":                 {set: "chain.owner_cut=0.2"},
	"chain.metagraph":                 {set: "chain.metagraph=metagraph/trees.json", with: []string{"validators[0].count=1"}},
	"chain.owner":                     {set: "chain.owner=judge"},
	"chain.cap_tao":                   {set: "chain.cap_tao=20000000"},
	"chain.reward_tao":                {set: "chain.reward_tao=2"},
	"chain.halving_blocks":            {set: "chain.halving_blocks=50", with: []string{"chain.emission=height"}},
	"chain.flat_tao":                  {set: "chain.flat_tao=3", with: []string{"chain.emission=flat"}},
	"chain.burn_tao":                  {set: "chain.burn_tao=0.6"},
	"chain.max_uids":                  {set: "chain.max_uids=12"},
	"chain.prune_by":                  {set: "chain.prune_by=stake-or-incentive"},
	"chain.min_non_immune":            {set: "chain.min_non_immune=40", with: []string{"chain.prune_by=emission"}},
	"chain.stake_threshold_tao":       {set: "chain.stake_threshold_tao=500"},
	"chain.upgrade_rules":             {set: "chain.upgrade_rules=3", with: []string{"chain.upgrade_rules=2", "chain.upgrade_height=60", "chain.hard.vote_delay_blocks=5"}},
	"chain.upgrade_height":            {set: "chain.upgrade_height=80", with: []string{"chain.upgrade_rules=3", "chain.upgrade_height=60", "chain.hard.vote_delay_blocks=5"}},
	"chain.council":                   {set: `chain.council=["judge-2"]`, with: []string{`chain.council=["judge-1"]`, "chain.council_threshold=1", "chain.tempo_blocks=60", "chain.hard.vote_delay_blocks=5"}},
	"chain.council_threshold":         {set: "chain.council_threshold=2", with: []string{`chain.council=["judge-1", "judge-2", "bulk-1"]`, "chain.council_threshold=3", "chain.tempo_blocks=60", "chain.hard.vote_delay_blocks=5"}},
	"chain.hard.strict_nonce":         {set: "chain.hard.strict_nonce=true"},

	"corpus.kind":             {set: "corpus.kind=shards", with: []string{"corpus.subsets=[]"}},
	"corpus.path":             {set: "corpus.path=SHARDS/b", with: []string{"corpus.kind=shards", "corpus.subsets=[]"}},
	"corpus.subsets":          {set: `corpus.subsets=["Github", "ArXiv"]`},
	"corpus.megabytes":        {set: "corpus.megabytes=0.6"},
	"corpus.append.at_h":      {set: "corpus.append[0].at_h=0.2", with: appended("")},
	"corpus.append.subsets":   {set: `corpus.append[0].subsets=["Ubuntu IRC"]`, with: appended("")},
	"corpus.append.megabytes": {set: "corpus.append[0].megabytes=0.3", with: appended("")},
	"corpus.append.weight":    {set: "corpus.append[0].weight=0.9", with: appended("")},
	"corpus.append.shared":    {set: "corpus.append[0].shared=false", with: appended("")},
	"corpus.append.kind":      {set: appended(`kind="shards", path="SHARDS/a", `)[1], with: appended("")},
	"corpus.append.path":      {set: appended(`kind="shards", path="SHARDS/b", `)[1], with: appended(`kind="shards", path="SHARDS/a", `)},
	"corpus.vocab":            {set: "corpus.vocab=296"},

	"base.steps":         {set: "base.steps=21"},
	"base.rows":          {set: "base.rows=5"},
	"base.learning_rate": {set: "base.learning_rate=0.005"},

	"evaluation.period_blocks": {set: "evaluation.period_blocks=21"},
	"evaluation.rows":          {set: "evaluation.rows=9"},

	"network.regions":          {set: `network.regions=["europe", "asia", "america"]`},
	"network.latency_ms":       {set: "network.latency_ms=[[11, 45, 90], [45, 15, 70], [90, 70, 20]]"},
	"network.jitter_ms":        {set: "network.jitter_ms=6"},
	"network.loss":             {set: "network.loss=0.1"},
	"network.block_delay_ms":   {set: "network.block_delay_ms=900"},
	"network.header_bytes":     {set: "network.header_bytes=300"},
	"network.save_s":           {set: "network.save_s=100"},
	"network.producer":         {set: "network.producer=asia"},
	"network.producer_txs":     {set: "network.producer_txs=1"},
	"network.producer_waiting": {set: "network.producer_waiting=1"},
	"network.tx_expiry_blocks": {set: "network.tx_expiry_blocks=32"},

	"chain.seal":                    {set: "chain.seal=granted"},
	"chain.adjust_by":               {set: "chain.adjust_by=target-2023"},
	"chain.difficulty":              {set: "chain.difficulty=5000"},
	"chain.adjustment_blocks":       {set: "chain.adjustment_blocks=7"},
	"chain.adjustment_alpha":        {set: "chain.adjustment_alpha=0.5"},
	"chain.target_registrations":    {set: "chain.target_registrations=7"},
	"chain.registrations_per_block": {set: "chain.registrations_per_block=7"},

	"miners.decide.every_epochs":   {set: "miners[0].decide.every_epochs=2", with: owned},
	"miners.decide.smoothing":      {set: "miners[0].decide.smoothing=1", with: owned},
	"miners.decide.price":          {set: "miners[0].decide.price=dear", with: append([]string{`prices=[{name="dear", value=9}]`}, owned...)},
	"miners.decide.hardware_per_h": {set: "miners[0].decide.hardware_per_h=90", with: owned},
	"miners.decide.most_uids":      {set: "miners[0].decide.most_uids=3", with: owned},
	"miners.decide.uid_per_h":      {set: "miners[0].decide.uid_per_h=900", with: append([]string{"miners[0].uids=2"}, owned...)},
	"miners.decide.watts":          {set: "miners[0].decide.watts=900000", with: owned},
	"miners.decide.per_kwh":        {set: "miners[0].decide.per_kwh=900", with: owned},
	"miners.decide.entry":          {set: "miners[0].decide.entry=stay", with: owned},
	"miners.decide.patience":       {set: "miners[0].decide.patience=4", with: owned},
	"miners.decide.discount":       {set: "miners[1].decide.discount=1", with: entering},
	"miners.decide.hysteresis":     {set: "miners[1].decide.hysteresis=90", with: entering},
	"miners.decide.by":             {set: "miners[1].decide.by=work", with: entering},
	"miners.decide.hashes_per_s":   {set: "miners[1].decide.hashes_per_s=50", with: append([]string{"miners[1].decide.by=work"}, entering...)},
	"miners.decide.survival":       {set: "miners[1].decide.survival=0.001", with: append(slices.Clone(entering), "miners[1].decide.entry=trial", "miners[1].decide.survival=1")},
	"miners.decide.wait_spread":    {set: "miners[1].decide.wait_spread=0.1", with: waiting},
	"miners.decide.wait_discount":  {set: "miners[1].decide.wait_discount=9", with: waiting},
	"miners.decide.adapt_duty":     {set: "miners[0].decide.adapt_duty=true", with: learning},
	"miners.decide.mix_rate":       {set: "miners[0].decide.mix_rate=1", with: learning},
	"miners.decide.mix_by":         {set: "miners[0].decide.mix_by=pay", with: append([]string{"validators[0].publishes=true"}, learning...)},
	"miners.decide.mix_try":        {set: "miners[0].decide.mix_try=0.3", with: learning},
	"miners.decide.mix_boost":      {set: "miners[0].decide.mix_boost=0.9", with: append([]string{"miners[0].decide.mix_by=bandit"}, learning...)},
	"miners.decide.mix_periods":    {set: "miners[0].decide.mix_periods=1", with: append([]string{"miners[0].decide.mix_by=bandit", "miners[0].decide.mix_periods=10"}, learning...)},
	"miners.decide.mix_floor":      {set: "miners[0].decide.mix_floor=0.3", with: learning},
	"miners.decide.sell":           {set: "miners[0].decide.sell=0.5", with: learning},

	"validators.decide.every_epochs":    {set: "validators[0].decide.every_epochs=2", with: foundation},
	"validators.decide.smoothing":       {set: "validators[0].decide.smoothing=1", with: delegate},
	"validators.decide.sell":            {set: "validators[0].decide.sell=0.5", with: foundation},
	"validators.decide.half_life_years": {set: "validators[0].decide.half_life_years=2", with: foundation},
	"validators.decide.take":            {set: "validators[0].decide.take=0.1", with: foundation},
	"validators.decide.take_step":       {set: "validators[0].decide.take_step=0.02", with: delegate},
	"validators.decide.take_decisions":  {set: "validators[0].decide.take_decisions=3", with: delegate},

	"holders.name":         {set: "holders[0].name=other", with: nominators},
	"holders.count":        {set: "holders[0].count=3", with: nominators},
	"holders.money_tao":    {set: "holders[0].money_tao=7", with: nominators},
	"holders.every_epochs": {set: "holders[0].every_epochs=2", with: nominators},
	"holders.beta":         {set: "holders[0].beta=0.01", with: nominators},
	"holders.move":         {set: "holders[0].move=0.5", with: nominators},

	"holders.bridge": {set: "holders[0].bridge=0.5", with: bridged},

	"bridge.every_blocks":  {set: "bridge.every_blocks=3", with: bridged},
	"bridge.confirmations": {set: "bridge.confirmations=9", with: bridged},
	"bridge.delay_blocks":  {set: "bridge.delay_blocks=9", with: bridged},
	"bridge.back":          {set: "bridge.back=0.5", with: bridged},
	"bridge.reorg_blocks":  {set: "bridge.reorg_blocks=20", with: bridged},
	"bridge.reorg_depth":   {set: "bridge.reorg_depth=1", with: append([]string{"bridge.reorg_blocks=10"}, bridged...)},

	"prices.name":       {set: `prices=[{name="other", value=1}, {name="unit", value=50}]`, with: append([]string{`prices=[{name="unit", value=1}, {name="other", value=50}]`, "miners[0].decide.price=unit"}, owned...)},
	"prices.kind":       {set: "prices[0].kind=brownian", with: priced("value=1", "spread=0", "drift=1e5", "step_h=0.05")},
	"prices.value":      {set: "prices[0].value=9", with: priced("value=1")},
	"prices.drift":      {set: "prices[0].drift=1e5", with: priced(`kind="brownian"`, "spread=0", "step_h=0.05")},
	"prices.spread":     {set: "prices[0].spread=3000", with: priced(`kind="brownian"`, "spread=0", "step_h=0.05")},
	"prices.step_h":     {set: "prices[0].step_h=0.02", with: priced(`kind="brownian"`, "spread=99", "step_h=0.1")},
	"prices.calm_ends":  {set: "prices[0].calm_ends=1", with: priced(`kind="regimes"`, "step_h=0.05", "storm_mean=3", "calm_ends=0")},
	"prices.storm_ends": {set: "prices[0].storm_ends=1", with: priced(`kind="regimes"`, "step_h=0.02", "storm_mean=3", "calm_ends=1", "storm_ends=0", "calm_mean=-3")},
	"prices.calm_mean":  {set: "prices[0].calm_mean=3", with: priced(`kind="regimes"`, "step_h=0.05")},
	"prices.storm_mean": {set: "prices[0].storm_mean=3", with: priced(`kind="regimes"`, "step_h=0.05", "calm_ends=1")},
	"prices.calm_sd":    {set: "prices[0].calm_sd=5", with: priced(`kind="regimes"`, "step_h=0.05")},
	"prices.storm_sd":   {set: "prices[0].storm_sd=5", with: priced(`kind="regimes"`, "step_h=0.05", "calm_ends=1")},
	"prices.file":       {set: "prices[0].file=economy/other-prices.csv", with: priced(`kind="csv"`, `file="economy/prices.csv"`)},

	"miners.name":              {set: "miners[1].name=later"},
	"miners.count":             {set: "miners[0].count=6"},
	"miners.behaviour":         {set: "miners[0].behaviour=frozen"},
	"miners.width":             {set: "miners[0].width=16"},
	"miners.layers":            {set: "miners[0].layers=2"},
	"miners.heads":             {set: "miners[0].heads=4"},
	"miners.context":           {set: "miners[0].context=17"},
	"miners.hardware_mflops":   {set: "miners[0].hardware_mflops=2"},
	"miners.duty":              {set: "miners[0].duty=0.3"},
	"miners.subsets":           {set: `miners[0].subsets=["Github"]`},
	"miners.mix":               {set: "miners[0].mix=[0.8, 0.1, 0.1]", with: []string{`miners[0].subsets=["Github", "ArXiv", "PubMed Central"]`}},
	"miners.learning_rate":     {set: "miners[0].learning_rate=0.002"},
	"miners.optimizer":         {set: "miners[0].optimizer=adamw16"},
	"miners.momentum":          {set: "miners[0].momentum=0.5", with: []string{"miners[0].optimizer=sgd", "miners[0].learning_rate=0.05"}},
	"miners.rows":              {set: "miners[0].rows=4"},
	"miners.steps":             {set: "miners[0].steps=2"},
	"miners.uids":              {set: "miners[0].uids=2"},
	"miners.stake_tao":         {set: "miners[0].stake_tao=2"},
	"miners.up_mbps":           {set: "miners[0].up_mbps=0.2"},
	"miners.down_mbps":         {set: "miners[0].down_mbps=0.2"},
	"miners.answer_loss":       {set: "miners[0].answer_loss=[2, 5]", with: stated},
	"miners.answer_losses":     {set: "miners[0].answer_losses=[2, 3, 4]", with: stated},
	"miners.answer_floor":      {set: "miners[0].answer_floor=3", with: studying},
	"miners.answer_half_h":     {set: "miners[0].answer_half_h=2", with: studying},
	"miners.forget_h":          {set: "miners[0].forget_h=0.1", with: studying},
	"miners.answer_spread":     {set: "miners[0].answer_spread=1", with: stated},
	"miners.min_stake_tao":     {set: "miners[0].min_stake_tao=500"},
	"miners.min_interval_s":    {set: "miners[0].min_interval_s=60"},
	"miners.queue":             {set: "miners[0].queue=1"},
	"miners.longest_service_s": {set: "miners[0].longest_service_s=0.01"},
	"miners.require_uid":       {set: "miners[0].require_uid=true"},
	"miners.slots":             {set: "miners[0].slots=3"},
	"miners.historic":          {set: "miners[0].historic=true", with: []string{"miners[0].min_interval_s=40"}},
	"miners.free_tao":          {set: "miners[0].free_tao=2"},
	"miners.coldkey":           {set: "miners[0].coldkey=farm"},
	"miners.loss":              {set: "miners[0].loss=0.3"},
	"miners.joins_h":           {set: "miners[1].joins_h=0.2"},

	"validators.name":            {set: "validators[0].name=jury"},
	"validators.count":           {set: "validators[0].count=3"},
	"validators.behaviour":       {set: "validators[2].behaviour=honest", with: []string{"validators[2].peers=3", "validators[2].topk=36", "validators[2].tokens=8"}},
	"validators.favour":          {set: `validators[2].favour=["bulk-2", "bulk-3", "bulk-4"]`},
	"validators.weights":         {set: `validators[2].weights=["2000 + j"]`, with: scriptedJudge},
	"validators.table":           {set: "validators[2].table=[[1, 2, 3, 4, 5, 6]]", with: []string{"validators[2].behaviour=scripted", "validators[2].table=[[6, 5, 4, 3, 2, 1]]"}},
	"validators.rows_file":       {set: "validators[2].rows_file=economy/other.csv", with: []string{"validators[2].behaviour=scripted", "validators[2].rows_file=economy/keys.csv"}},
	"validators.lead_blocks":     {set: "validators[2].lead_blocks=3", with: scriptedJudge},
	"validators.first_epoch":     {set: "validators[2].first_epoch=4", with: scriptedJudge},
	"validators.last_epoch":      {set: "validators[2].last_epoch=4", with: scriptedJudge},
	"validators.every_epochs":    {set: "validators[2].every_epochs=2", with: scriptedJudge},
	"validators.copies":          {set: "validators[2].copies=consensus", with: []string{"validators[2].favour=[]"}},
	"validators.lag_epochs":      {set: "validators[2].lag_epochs=2"},
	"validators.routing":         {set: "validators[0].routing=gated"},
	"validators.stake_tao":       {set: "validators[0].stake_tao=[900, 1000]"},
	"validators.subsets":         {set: `validators[0].subsets=["Github"]`},
	"validators.mix":             {set: "validators[0].mix=[0.1, 0.9]", with: []string{`validators[0].subsets=["Github", "ArXiv"]`}},
	"validators.credit":          {set: "validators[0].credit=market"},
	"validators.publishes":       {set: "validators[0].publishes=true", with: append([]string{"miners[0].decide.mix_by=pay"}, learning...)},
	"validators.invest_tao":      {set: "validators[0].invest_tao=300", with: []string{"validators[0].free_tao=500"}},
	"validators.invest_h":        {set: "validators[0].invest_h=0.2", with: []string{"validators[0].free_tao=500", "validators[0].invest_tao=300"}},
	"validators.batch":           {set: "validators[0].batch=subset"},
	"validators.release":         {set: "validators[0].release=3.6.0"},
	"validators.targets":         {set: "validators[0].targets=everyone"},
	"validators.rows":            {set: "validators[0].rows=5"},
	"validators.tokens":          {set: "validators[0].tokens=7"},
	"validators.peers":           {set: "validators[0].peers=4"},
	"validators.topk":            {set: "validators[0].topk=20"},
	"validators.step_s":          {set: "validators[0].step_s=31"},
	"validators.timeout_s":       {set: "validators[0].timeout_s=1"},
	"validators.epoch_blocks":    {set: "validators[0].epoch_blocks=15"},
	"validators.alpha":           {set: "validators[0].alpha=0.3"},
	"validators.power":           {set: "validators[0].power=0.9"},
	"validators.synergy_power":   {set: "validators[0].synergy_power=2"},
	"validators.score_peers":     {set: "validators[1].score_peers=1"},
	"validators.noise":           {set: "validators[1].noise=5"},
	"validators.router_width":    {set: "validators[1].router_width=16"},
	"validators.router_heads":    {set: "validators[1].router_heads=4"},
	"validators.router_rate":     {set: "validators[0].router_rate=0.01"},
	"validators.router_labels":   {set: "validators[1].router_labels=false"},
	"validators.router_base":     {set: "validators[1].router_base=false"},
	"validators.hardware_mflops": {set: "validators[0].hardware_mflops=2"},
	"validators.up_mbps":         {set: "validators[0].up_mbps=0.3"},
	"validators.down_mbps":       {set: "validators[0].down_mbps=0.3"},
	"validators.free_tao":        {set: "validators[0].free_tao=2"},
	"validators.coldkey":         {set: "validators[0].coldkey=bank"},
	"validators.loss":            {set: "validators[0].loss=0.3"},

	"applications.name":      {set: "applications[0].name=client"},
	"applications.count":     {set: "applications[0].count=2"},
	"applications.stake_tao": {set: "applications[0].stake_tao=11"},
	"miners.checkpoint":      {set: "miners[0].checkpoint=SHARDS/model"},
	"corpus.tokenizer":       {set: "corpus.tokenizer=SHARDS/tokenizer.json"},
	"applications.session_s": {set: "applications[0].session_s=50"},
	"applications.pace_s":    {set: "applications[0].pace_s=1.3"},
	"applications.prompt":    {set: "applications[0].prompt=7"},
	"applications.tokens":    {set: "applications[0].tokens=5"},
	"applications.peers":     {set: "applications[0].peers=3"},
	"applications.combine":   {set: "applications[0].combine=mean", with: []string{"applications[0].forced=false", "applications[0].peers=5", "applications[0].tokens=16", "miners[0].hardware_mflops=[1, 4]", "miners[0].learning_rate=0.05", "miners[0].duty=0.5"}},
	"applications.sessions":  {set: "applications[0].sessions=4", with: []string{"applications[0].session_s=4"}},
	"applications.forced":    {set: "applications[0].forced=false"},
	"applications.topk":      {set: "applications[0].topk=20"},
	"applications.timeout_s": {set: "applications[0].timeout_s=0.2"},
	"applications.up_mbps":   {set: "applications[0].up_mbps=0.2"},
	"applications.down_mbps": {set: "applications[0].down_mbps=0.2"},
	"applications.free_tao":  {set: "applications[0].free_tao=2"},
	"applications.coldkey":   {set: "applications[0].coldkey=bank"},
	"applications.loss":      {set: "applications[0].loss=0.3"},

	"faults.kind":        {set: `faults=[{kind="partition", region="asia", at_s=400, duration_s=200}, {kind="partition", region="asia", at_s=900, duration_s=100}]`},
	"faults.group":       {set: "faults[0].group=judge"},
	"faults.region":      {set: "faults[1].region=europe"},
	"faults.at_s":        {set: "faults[0].at_s=410"},
	"faults.duration_s":  {set: "faults[1].duration_s=110"},
	"faults.node":        {set: "faults[0].node=bulk-1", with: []string{`faults=[{kind="pause", at_s=100, duration_s=900}]`}},
	"faults.members":     {set: "faults[0].members=0.4", with: []string{`faults=[{kind="pause", at_s=100, duration_s=900}]`}},
	"faults.peer_node":   {set: "faults[0].peer_node=bulk-1", with: []string{`faults=[{kind="loss", at_s=100, duration_s=900, share=0.5}]`}},
	"faults.peer_group":  {set: "faults[0].peer_group=bulk", with: []string{`faults=[{kind="loss", at_s=100, duration_s=900, share=0.5}]`}},
	"faults.peer_region": {set: "faults[0].peer_region=asia", with: []string{`faults=[{kind="loss", at_s=100, duration_s=900, share=0.5}]`}},
	"faults.direction":   {set: "faults[0].direction=in", with: []string{`faults=[{kind="loss", at_s=100, duration_s=900, share=0.5, group="bulk"}]`}},
	"faults.mode":        {set: "faults[0].mode=pareto", with: []string{`faults=[{kind="delay", at_s=100, duration_s=900}]`}},
	"faults.wave":        {set: "faults[0].wave=true", with: []string{`faults=[{kind="loss", at_s=100, duration_s=60}, {kind="delay", wave=true, duration_s=60}]`, "waves.quiet_s=200", "waves.storm_s=60"}},
	"faults.seed":        {set: "faults[0].seed=7", with: []string{`faults=[{kind="loss", at_s=100, duration_s=900, share=0.5}]`}},
	"faults.share":       {set: "faults[0].share=0.4", with: []string{`faults=[{kind="loss", at_s=100, duration_s=900}]`}},
	"faults.mean_ms":     {set: "faults[0].mean_ms=20", with: []string{`faults=[{kind="delay", at_s=100, duration_s=900}]`}},
	"faults.window_ms":   {set: "faults[0].window_ms=20", with: []string{`faults=[{kind="reorder", at_s=100, duration_s=900}]`}},
	"faults.delay_ms":    {set: "faults[0].delay_ms=20", with: []string{`faults=[{kind="duplicate", at_s=100, duration_s=900}]`}},
	"faults.copies":      {set: "faults[0].copies=2", with: []string{`faults=[{kind="duplicate", at_s=100, duration_s=900}]`}},
	"faults.parts":       {set: "faults[0].parts=1", with: []string{`faults=[{kind="endless", at_s=100, duration_s=900}]`}},
	"faults.bits":        {set: "faults[0].bits=9", with: []string{`faults=[{kind="corrupt", at_s=100, duration_s=900}]`}},
	"faults.bytes":       {set: "faults[0].bytes=20", with: []string{`faults=[{kind="truncate", at_s=100, duration_s=900}]`}},
	"faults.factor":      {set: "faults[0].factor=3", with: []string{`faults=[{kind="slow", at_s=100, duration_s=900}]`}},
	"faults.every_s":     {set: "faults[0].every_s=200", with: []string{`faults=[{kind="crash", at_s=100, duration_s=900, group="bulk", down_s=10}]`}},
	"faults.down_s":      {set: "faults[0].down_s=20", with: []string{`faults=[{kind="crash", at_s=100, duration_s=900, group="bulk"}]`}},
	"faults.drift_ppm":   {set: "faults[0].drift_ppm=50000", with: []string{`faults=[{kind="clock", at_s=100, duration_s=900}]`}},
	"faults.hold_s":      {set: "faults[0].hold_s=20", with: []string{`faults=[{kind="stall", at_s=100, duration_s=900}]`}},
	"faults.delay_s":     {set: "faults[0].delay_s=30", with: []string{`faults=[{kind="disk_read", at_s=100, duration_s=900}, {kind="crash", group="bulk", at_s=400, duration_s=200}]`}},
	"faults.offset_ms":   {set: "faults[0].offset_ms=90000", with: []string{`faults=[{kind="clock", at_s=100, duration_s=900}]`}},
	"faults.blocks":      {set: "faults[0].blocks=3", with: []string{`faults=[{kind="stale", at_s=100, duration_s=900}]`}},

	"waves.quiet_s":  {set: "waves.quiet_s=300", with: []string{`faults=[{kind="loss", wave=true, duration_s=60}, {kind="delay", wave=true, duration_s=60}]`, "waves.quiet_s=200", "waves.together=1", "waves.storm_s=60"}},
	"waves.storm_s":  {set: "waves.storm_s=30", with: []string{`faults=[{kind="loss", wave=true, duration_s=60}]`, "waves.quiet_s=200"}},
	"waves.together": {set: "waves.together=2", with: []string{`faults=[{kind="loss", wave=true, duration_s=60}, {kind="delay", wave=true, duration_s=60}]`, "waves.quiet_s=200", "waves.together=1"}},
	"waves.tail_s":   {set: "waves.tail_s=900", with: []string{`faults=[{kind="loss", wave=true, duration_s=60}]`, "waves.quiet_s=100", "waves.storm_s=60"}},
}

// owned lets the owners of the first miners leave what does not pay.
var owned = []string{"miners[0].decide.every_epochs=1", "miners[0].decide.entry=value", "miners[0].decide.hardware_per_h=[1, 60]",
	"miners[0].decide.patience=2", "chain.immunity_blocks=0"}

// entering lets a newcomer decide whether to enter.
var entering = []string{"miners[1].decide.every_epochs=1", "miners[1].decide.entry=value", "miners[1].decide.hardware_per_h=0.5",
	"miners[1].decide.hashes_per_s=5000", "chain.difficulty=100000"}

// waiting lets it wait for a seat that is worth more than its price by a factor.
var waiting = append(slices.Clone(entering), "miners[1].decide.entry=wait", "miners[1].decide.discount=0.5")

// studying lets miners without models learn.
var studying = append([]string{"miners[0].answer_half_h=0.1", "miners[0].duty=1"}, stated...)

// learning lets the first miners look for what pays.
var learning = []string{"miners[0].decide.every_epochs=1", "miners[0].decide.mix_rate=0.5", "miners[0].duty=0.5"}

// foundation lets validators sell what they have.
var foundation = []string{"validators[0].decide.every_epochs=1", "validators[0].decide.half_life_years=1"}

// delegate lets validators take nominations and look for the best take.
var delegate = []string{"validators[0].decide.every_epochs=1", "validators[0].decide.take=0.1", "validators[0].decide.take_step=0.01",
	"validators[0].decide.take_decisions=2"}

// nominators hold money and follow yields.
var nominators = append([]string{`holders=[{count=2, every_epochs=1, beta=3}]`}, delegate...)

// bridged lets holders use a bridge.
var bridged = []string{"holders=[{count=2, every_epochs=1, bridge=0.1}]", "bridge.every_blocks=2", "bridge.confirmations=2",
	"bridge.delay_blocks=3", "bridge.back=0.1"}

// priced lets the first miners pay at the price of a path.
func priced(keys ...string) []string {
	return append([]string{`prices=[{name="unit", ` + strings.Join(keys, ", ") + `}]`, "miners[0].decide.price=unit"}, owned...)
}

// scriptedJudge makes the third group of validators scripted.
var scriptedJudge = []string{"validators[2].behaviour=scripted", `validators[2].weights=["1000 + j"]`}

// appended makes the corpus one that gains a source, with more keys of it in front.
func appended(keys string) []string {
	return []string{`corpus.subsets=["ArXiv", "PubMed Central"]`, `corpus.append=[{` + keys + `at_h=0.1, megabytes=0.2, subsets=["Github"]}]`}
}

// stated makes the run one without models.
var stated = []string{"mode=economy", "faults=[]"}

// stays has another value for each inert key; with it the run digest stays as it is.
var stays = map[string]move{
	"format":      {set: "format=1"},
	"description": {set: `description="other words"`},
	"expect":      {set: `expect=[{metric="run.blocks", comparison=">", value=1}]`},
	"tune":        {set: "tune.step=0.2"},
	"sweep":       {set: `sweep.keys=[{key="time.hours", values=[1, 2]}]`},

	"corpus.invalid_utf8": {set: "corpus.invalid_utf8=replace", with: []string{"corpus.kind=shards", "corpus.subsets=[]"}},

	"time.jump":  {set: "time.jump=false"},
	"time.start": {set: "time.start=2023-03-20"},

	"trace.every_epochs": {set: "trace.every_epochs=3"},
	"trace.nodes":        {set: "trace.nodes=off"},
	"trace.seats":        {set: "trace.seats=off"},
	"trace.blocks":       {set: "trace.blocks=off"},
	"trace.transactions": {set: "trace.transactions=off"},
	"trace.epochs":       {set: "trace.epochs=0"},
	"trace.weights":      {set: "trace.weights=3"},
	"trace.bonds":        {set: "trace.bonds=0"},
	"trace.queries":      {set: "trace.queries=off"},
	"trace.answers":      {set: "trace.answers=off"},
	"trace.rows":         {set: "trace.rows=all"},
	"trace.training":     {set: "trace.training=off"},
	"trace.decisions":    {set: "trace.decisions=off", with: owned},
	"trace.applications": {set: "trace.applications=off"},

	"applications.continued_texts":  {set: "applications[0].continued_texts=1"},
	"applications.continued_window": {set: "applications[0].continued_window=8"},
	"applications.continued_tokens": {set: "applications[0].continued_tokens=8"},

	"miners.skew_ms":       {set: "miners[0].skew_ms=70000"},
	"validators.skew_ms":   {set: "validators[0].skew_ms=[-70000, 70000]"},
	"applications.skew_ms": {set: "applications[0].skew_ms=-70000"},
}

// scenarioKeys are the dotted paths of all keys, without indices, and what the inert ones say.
func scenarioKeys() (keys []string, inert map[string]string) {
	inert = map[string]string{}
	var walk func(prefix string, t reflect.Type)
	walk = func(prefix string, t reflect.Type) {
		for _, f := range settings.Fields(t) {
			path := strings.TrimPrefix(prefix+"."+f.Key, ".")
			switch {
			case f.Inert != "":
				inert[path] = f.Inert
			case f.Table() && f.Type.Kind() == reflect.Slice:
				walk(path, f.Type.Elem())
			case f.Table():
				walk(path, f.Type)
			default:
				keys = append(keys, path)
			}
		}
	}
	walk("", reflect.TypeFor[Scenario]())
	return keys, inert
}

// keyRuns runs testdata/keys.toml with overrides, each set of them once.
type keyRuns struct {
	cache  base.Cache
	shards string
	mutex  sync.Mutex
	known  map[string]func() (string, error)
}

func (k *keyRuns) digest(sets ...string) (string, error) {
	name := strings.Join(sets, "\n")
	k.mutex.Lock()
	run := k.known[name]
	if run == nil {
		run = sync.OnceValues(func() (string, error) { return k.run(sets) })
		k.known[name] = run
	}
	k.mutex.Unlock()
	return run()
}

func (k *keyRuns) run(sets []string) (string, error) {
	sets = slices.Clone(sets)
	for i := range sets {
		sets[i] = strings.ReplaceAll(sets[i], "SHARDS", k.shards)
	}
	if slices.Contains(sets, "corpus.kind=shards") {
		sets = append([]string{"corpus.path=" + k.shards + "/a"}, sets...)
	}
	file, err := Load("testdata/keys.toml", sets)
	if err != nil {
		return "", err
	}
	material, err := file.Prepare(context.Background(), k.cache, 1, nil)
	if err != nil {
		return "", err
	}
	network, err := file.Build(material, Options{Workers: 1, Recorder: trace.Discard})
	if err != nil {
		return "", err
	}
	world, err := virtual.New(network.Config)
	if err != nil {
		return "", err
	}
	if err := world.Run(context.Background()); err != nil {
		return "", err
	}
	return world.Digest().String(), nil
}

// shardsOf writes two folders with a shard each, of two texts, a tokenizer, and a model without one.
func shardsOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := []byte(strings.Repeat("a tokenizer of other words than those which the corpus has: zebras, quartz and jinx. ", 9))
	tokenizer, err := token.Train([][]byte{text}, 288)
	if err != nil {
		t.Fatal(err)
	}
	data, err := tokenizer.MarshalJSON()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "tokenizer.json"), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	model := lm.New(lm.Config{Vocab: 288, Context: 16, Width: 8, Layers: 1, Heads: 2}, num.NewStream(9, "a model of its own"))
	if err := (&checkpoint.Checkpoint{Model: model}).Save(filepath.Join(dir, "model")); err != nil {
		t.Fatal(err)
	}
	for i, word := range []string{"a", "b"} {
		var b strings.Builder
		for n := range 400 {
			fmt.Fprintf(&b, `{"meta": {"pile_set_name": "Github"}, "text": "%s"}`+"\n",
				strings.Repeat("the cat sees "+word+" dog, and the bird does not; my quick brown fox jumps over five lazy words 1234567890! ", 4+i+n%5))
		}
		if err := os.MkdirAll(filepath.Join(dir, word), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, word, "00.jsonl"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestEveryKeyMovesTheRunDigestOrSaysWhyNot moves one key after the other.
func TestEveryKeyMovesTheRunDigestOrSaysWhyNot(t *testing.T) {
	keys, inert := scenarioKeys()
	for _, key := range slices.Sorted(maps.Keys(moves)) {
		if !slices.Contains(keys, key) {
			t.Errorf("%s is not a key, or an inert one, and has a move", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(stays)) {
		if _, isInert := inert[key]; !isInert {
			t.Errorf("%s is not an inert key, and has a value that changes nothing", key)
		}
	}
	runs := &keyRuns{
		cache:  base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes},
		shards: shardsOf(t), known: map[string]func() (string, error){},
	}
	for _, key := range keys {
		t.Run(key, func(t *testing.T) {
			move, known := moves[key]
			if !known {
				t.Fatal("no other value is tried; give it a move, or a tag that says why it is inert")
			}
			if before, after := runs.both(t, move); after == before {
				t.Errorf("with %s the run digest is what it was, %s", move.set, before)
			}
		})
	}
	for _, key := range slices.Sorted(maps.Keys(inert)) {
		t.Run(key, func(t *testing.T) {
			stay, known := stays[key]
			if len(inert[key]) < 10 || !known {
				t.Fatalf("it is inert, and does not say why (%q) or has no other value to try", inert[key])
			}
			if before, after := runs.both(t, stay); after != before {
				t.Errorf("with %s the run digest is %s, it was %s", stay.set, after, before)
			}
		})
	}
}

// both are the digests before and after a move.
func (k *keyRuns) both(t *testing.T, m move) (before, after string) {
	t.Helper()
	if testing.Short() {
		t.Skip("not run with -short: a run for each key")
	}
	t.Parallel()
	before, err := k.digest(m.with...)
	if err != nil {
		t.Fatal(err)
	}
	after, err = k.digest(append(slices.Clone(m.with), m.set)...)
	if err != nil {
		t.Fatal(err)
	}
	return before, after
}
