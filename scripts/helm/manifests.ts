/** What the checks read of what Helm renders. */
export interface Manifest {
  kind: string;
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
  data?: Record<string, string>;
  spec?: {
    selector?: Selector;
    podSelector?: Selector;
    scaleTargetRef?: { name: string };
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    strategy?: { rollingUpdate: { maxUnavailable: number } };
    egress?: { ports: { port: number }[]; to?: unknown[] }[];
    [field: string]: unknown;
  };
}

type Selector = { matchLabels: Record<string, string> } & Record<string, unknown>;

interface PodSpec {
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  securityContext?: object;
  terminationGracePeriodSeconds?: number;
  containers: Container[];
  volumes: { name: string; projected?: { sources: { secret: { items: { path: string }[] } }[] } }[];
}

interface Container {
  name: string;
  image: string;
  command: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
  envFrom?: { configMapRef: { name: string } }[];
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: object;
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  livenessProbe?: { httpGet: { path: string } };
  readinessProbe?: { httpGet: { path: string } };
  volumeMounts: { name: string; mountPath: string }[];
}

/** A process of the system: what has a pod template. */
export interface Process {
  component: string;
  manifest: Manifest;
  pod: PodSpec;
  container: Container;
  /** What stands in ConfigMaps and in the pod. */
  variables: Record<string, string>;
  /** Names of the variables that come from Secrets. */
  secrets: string[];
}

export function processesOf(manifests: Manifest[]): Process[] {
  return manifests.flatMap((manifest) => {
    const template = manifest.spec?.template;
    if (!template) return [];
    const [container] = template.spec.containers as [Container];
    const env = container.env ?? [];
    const maps = (container.envFrom ?? []).map(({ configMapRef: { name } }) => {
      return manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name)?.data;
    });
    const plain = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
    return {
      component: template.metadata.labels['app.kubernetes.io/component']!,
      manifest,
      pod: template.spec,
      container,
      variables: Object.assign({}, ...maps, Object.fromEntries(plain)) as Record<string, string>,
      secrets: env.filter(({ valueFrom }) => valueFrom?.secretKeyRef).map(({ name }) => name),
    };
  });
}
