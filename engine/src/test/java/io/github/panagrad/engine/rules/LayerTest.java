package io.github.panagrad.engine.rules;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.Test;

/// Holds the floors of the engine: imports point down only.
///
/// `ground <- spi <- {api, tape, op} <- backends`; the api is the root package.
class LayerTest {
    private static final String ENGINE = "io.github.panagrad.engine";
    private static final String GROUND = ENGINE + ".ground..";
    private static final String SPI = ENGINE + ".spi..";
    private static final String TAPE = ENGINE + ".tape..";
    private static final String OP = ENGINE + ".op..";
    private static final String CPU = ENGINE + ".cpu..";
    private static final String REFERENCE = ENGINE + ".reference..";
    private static final String JAVA = "java..";
    private static final String JSPECIFY = "org.jspecify..";
    private static final String VECTORS = "jdk.incubator.vector..";

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ENGINE);

    @Test
    void theImporterSeesTheEngine() {
        assertThat(CLASSES.that(resideInAPackage(GROUND))).isNotEmpty();
        assertThat(CLASSES.that(not(resideInAPackage(ENGINE + "..")))).isEmpty();
    }

    @Test
    void groundStandsOnTheJdkAlone() {
        hold(only(GROUND, GROUND, JAVA, JSPECIFY));
    }

    @Test
    void spiStandsOnGround() {
        hold(only(SPI, SPI, GROUND, JAVA, JSPECIFY));
    }

    @Test
    void theFrontNeverNamesABackend() {
        hold(
                noClasses()
                        .that(resideInAnyPackage(ENGINE, TAPE, OP))
                        .should()
                        .dependOnClassesThat(resideInAnyPackage(CPU, REFERENCE)));
    }

    @Test
    void backendsDoNotKnowEachOther() {
        hold(
                noClasses()
                        .that()
                        .resideInAPackage(CPU)
                        .should()
                        .dependOnClassesThat(resideInAPackage(REFERENCE)));
        hold(
                noClasses()
                        .that()
                        .resideInAPackage(REFERENCE)
                        .should()
                        .dependOnClassesThat(resideInAPackage(CPU)));
    }

    @Test
    void vectorsStayInTheCpuBackend() {
        hold(
                noClasses()
                        .that(not(resideInAPackage(CPU)))
                        .should()
                        .dependOnClassesThat(resideInAPackage(VECTORS)));
    }

    @Test
    void theEngineDependsOnNothingElse() {
        hold(only(ENGINE + "..", ENGINE + "..", JAVA, JSPECIFY, VECTORS, "javax.management.."));
    }

    private static ArchRule only(String floor, String... allowed) {
        return classes()
                .that()
                .resideInAPackage(floor)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(allowed));
    }

    private static void hold(ArchRule rule) {
        rule.allowEmptyShould(true).check(CLASSES);
    }
}
