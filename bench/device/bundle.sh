#!/usr/bin/env bash
# Packs what a bare GPU machine needs to run `panagrad-bench.jar device`: a JDK 25 cut down to what is
# used, the benchmark's jar and the TornadoVM SDK. Run it where the project has been built with
# TORNADOVM_HOME set; it writes panagrad-device.tar.xz into the current folder.
#
# On the GPU machine: tar xf panagrad-device.tar.xz && panagrad-device/run.sh
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
jar=$project/bench/target/panagrad-bench.jar
: "${JAVA_HOME:?point JAVA_HOME at a JDK 25}" "${TORNADOVM_HOME:?point TORNADOVM_HOME at a TornadoVM SDK}"
[ -r "$jar" ] || { echo "bundle.sh: build first: TORNADOVM_HOME=$TORNADOVM_HOME mvn -pl bench -am package -DskipTests" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bundle=$work/panagrad-device
mkdir "$bundle"
modules=java.base,java.compiler,java.instrument,java.logging,java.management,java.naming,java.sql,java.xml
modules=$modules,jdk.attach,jdk.internal.vm.ci,jdk.incubator.vector,jdk.management,jdk.unsupported,jdk.zipfs
"$JAVA_HOME/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages \
    --output "$bundle/jdk"
# Tokenizers, charts and JMH are not used, and most of the jar.
mkdir "$work/jar"
(cd "$work/jar" && "$JAVA_HOME/bin/jar" xf "$jar" && rm -rf native lib com/sun/jna org/apache/commons org/knowm org/openjdk)
"$JAVA_HOME/bin/jar" cfm "$bundle/panagrad-bench.jar" "$work/jar/META-INF/MANIFEST.MF" -C "$work/jar" .
cp "$project/bench/device/pytorch.py" "$bundle/"
mkdir "$bundle/tornado"
cp -r "$TORNADOVM_HOME"/{lib,etc,bin} "$bundle/tornado/"
mkdir -p "$bundle/tornado/share/java"
cp -r "$TORNADOVM_HOME/share/java/tornado" "$TORNADOVM_HOME/share/java/graalJars" "$bundle/tornado/share/java/"
# Nothing but benchmarks and tests of TornadoVM's own uses these.
rm -f "$bundle"/tornado/share/java/tornado/{tornado-benchmarks,tornado-examples,tornado-unittests,tornado-fuzz,lucene,junit,jmh,hamcrest}-*.jar
# The SDK's options name its folder; the bundle's is known when it is unpacked.
sed "s|$TORNADOVM_HOME|@TORNADO@|g" "$TORNADOVM_HOME/tornado-argfile" > "$bundle/tornado/tornado-argfile.in"
cat > "$bundle/run.sh" <<'RUN'
#!/usr/bin/env bash
# Measures this machine's GPU; PyTorch's figures stand beside ours where python3 has torch.
# Arguments are those of `panagrad-bench.jar device`; PRECISIONS=f32,tf32 what products are rounded to.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
precisions=${PRECISIONS:-f32}
# CUDA's compiler and cuBLAS, from a toolkit or from the packages that PyTorch came with.
for folder in /usr/local/cuda/lib64 $(python3 -c 'import glob, sysconfig
print(*glob.glob(sysconfig.get_path("purelib") + "/nvidia/*/lib"))' 2> /dev/null); do
    if [ -d "$folder" ]; then LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder; fi
done
export LD_LIBRARY_PATH
sed "s|@TORNADO@|$here/tornado|g" "$here/tornado/tornado-argfile.in" > "$here/tornado/tornado-argfile"
export TORNADOVM_HOME=$here/tornado
peer=()
if python3 -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
    python3 "$here/pytorch.py" --json "$here/pytorch.jsonl" --precision "$precisions"
    peer=(--peer "$here/pytorch.jsonl")
fi
exec "$here/jdk/bin/java" -jar "$here/panagrad-bench.jar" device --matmul "$precisions" "${peer[@]}" "$@"
RUN
chmod +x "$bundle/run.sh"
tar -C "$work" -cJf panagrad-device.tar.xz panagrad-device
ls -l panagrad-device.tar.xz
