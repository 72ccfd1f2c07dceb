// Generated from the analyses by scripts/generate-charts.mjs; do not edit.
/** The charts of the analyses' series: each with the names of its series, and what legends call them. */
export const analysisCharts = [
  {"key":"holes","title":"Black holes","unit":"tokens","isLog":false,"names":{"unique":"distinct rows","P":"tokens in black holes (P)","C":"black holes (C)"}},
  {"key":"place","title":"Position","unit":"L2 norm","isLog":false,"names":{"centroidNorm":"centroid from 0","maxRadius":"largest radius","meanRadius":"mean radius","displacement":"displacement of the centroid"}},
  {"key":"norms","title":"Norms of the rows","unit":"L2 norm","isLog":false,"names":{"maxNorm":"largest norm","medianNorm":"median norm","minNorm":"smallest norm"}},
  {"key":"motion","title":"Motion","unit":"L2 norm of a token's step","isLog":true,"names":{"meanStep":"mean |ΔW|"}},
  {"key":"cells","title":"Motion in cells","unit":"of the bfloat16 lattice","isLog":true,"names":{"meanCells":"mean |ΔW′|"}},
  {"key":"still","title":"Still tokens","unit":"share","isLog":false,"names":{"still":"still in this step","frozen":"frozen from here on"}},
  {"key":"onset","title":"Onset of training","unit":"tokens","isLog":false,"names":{"trained":"tokens that train"}},
] as const;
