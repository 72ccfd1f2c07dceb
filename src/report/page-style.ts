/** The style sheet of a report: one column that fits a screen and a sheet of paper, light or dark as its reader's system is. */
export const pageStyle = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1f2328;--quiet:#57606a;--line:#d0d7de;--soft:#f6f8fa;--accent:#0a58ca}
@media screen and (prefers-color-scheme:dark){:root{--ground:#0d1117;--ink:#dfe3e8;--quiet:#9da7b1;--line:#30363d;--soft:#161b22;--accent:#7db3f2}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:58rem;padding:1.5rem 1rem 4rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{margin:0 0 .5rem;font-size:1.7rem;overflow-wrap:anywhere}h2{font-size:1.3rem;margin:2.2rem 0 .6rem}h3{font-size:1rem;margin:0 0 .3rem}
a{color:var(--accent)}p,ul{max-width:46rem}
.verdict{padding:.7rem 1rem;border-left:.35rem solid var(--accent);background:var(--soft);max-width:none}.verdict strong{margin-right:.5rem;text-transform:capitalize}
dl{margin:1rem 0;display:grid;gap:.3rem}dl div{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.8rem}dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;padding:.6rem 0;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
figure{margin:1.4rem 0 2rem;padding:1rem;border:1px solid var(--line);border-radius:.4rem;position:relative}
.drawing{position:relative}.drawing>svg{display:block;width:100%;height:auto;overflow:visible}.drawing .ground{fill:none}.drawing .halo{stroke:var(--ground)}
figcaption{font-size:.85rem;color:var(--quiet);margin-top:.5rem}.source{overflow-wrap:anywhere}
.table{overflow-x:auto;margin:.6rem 0}table{border-collapse:collapse;font-size:.9rem}th,td{padding:.25rem .7rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:600;white-space:nowrap}tbody th{font-weight:500}th.number,td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
pre{padding:.8rem 1rem;background:var(--soft);border:1px solid var(--line);border-radius:.4rem;overflow-x:auto;font-size:.85rem}
summary{cursor:pointer}summary h2{display:inline}details{margin:1.6rem 0}
button,select,input{font:inherit}button{padding:.15rem .6rem;border:1px solid var(--line);border-radius:.3rem;background:var(--soft);color:inherit;cursor:pointer}button[aria-pressed=true]{background:var(--accent);color:var(--ground)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.tools{display:flex;flex-wrap:wrap;gap:.4rem;margin:.3rem 0;font-size:.85rem}
.tip{position:absolute;pointer-events:none;padding:.3rem .5rem;background:var(--ground);border:1px solid var(--line);border-radius:.3rem;font-size:.8rem;white-space:pre;z-index:2;box-shadow:0 1px 4px #0003}
.cursor{stroke:var(--accent);stroke-width:1;pointer-events:none}.selection{fill:var(--accent);fill-opacity:.15;pointer-events:none}
.replay canvas{display:block;width:100%;border:1px solid var(--line);border-radius:.4rem;touch-action:none}
.controls{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:.5rem 0}.controls input[type=range]{flex:1 1 14rem}.controls output{min-width:16rem;font-variant-numeric:tabular-nums}
footer{margin-top:3rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.85rem}
@media print{:root{color-scheme:light;--ground:#fff;--ink:#000;--quiet:#444;--line:#ccc;--soft:#fff}html{font-size:9.5pt}body{max-width:none;padding:0;font-size:9.5pt}nav,.tools,.tip,.cursor,#replay,footer button{display:none!important}figure{break-inside:avoid;border:0;padding:0;margin:.8rem 0}tr,dl div{break-inside:avoid}h2,h3,section>p{break-after:avoid}h2{margin-top:1.4rem}summary{list-style:none}a{color:inherit}}
@media (max-width:36rem){dl div{grid-template-columns:1fr;gap:0}figure{padding:.5rem}}
`;
