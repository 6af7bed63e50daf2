/** Stands in for what Grafana's tables can show and ours never do: a code editor and maps. */
const nothing = () => null;
export { nothing as OpenLayersProvider, nothing as ReactMonacoEditor, nothing as ReactMonacoEditorLazy };
export default nothing;
